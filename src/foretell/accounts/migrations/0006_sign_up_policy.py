# How people come to the tenant: one row, once it was set.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_verified_email_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignUpPolicy",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("open", "Anybody signs up, and reads"),
                            ("invitation", "Who is invited comes"),
                            ("closed", "Nobody comes, but by an operator"),
                        ],
                        default="invitation",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="sign_up_policy_once"),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["open", "invitation", "closed"])), name="sign_up_mode_known"
                    ),
                ],
            },
        ),
    ]
