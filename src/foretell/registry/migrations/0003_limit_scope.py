# The named limit of a model.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_log_payload"),
    ]

    operations = [
        migrations.AddField(
            model_name="registeredmodel",
            name="limit_scope",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
    ]
