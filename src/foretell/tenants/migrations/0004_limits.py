# A tenant's own limits, in place of the installation's.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_log_policy"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="limits",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
