# The address that somebody asks for, beside the one that they have until it is verified.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_sign_up_policy"),
    ]

    operations = [
        migrations.AddField(
            "user",
            "pending_email",
            models.EmailField(blank=True, db_default="", default="", editable=False, max_length=254),
        ),
    ]
