import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "slug",
                    models.CharField(
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\\Z",
                                "Expected a-z, 0-9 and hyphens, 40 at most.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                ("issuer", models.URLField(max_length=500)),
                ("client_id", models.CharField(max_length=191)),
                ("sealed_secret", models.TextField(editable=False)),
                ("email_domains", models.JSONField(blank=True, default=list)),
                (
                    "joins_as",
                    models.CharField(
                        blank=True, choices=[("viewer", "Viewer"), ("editor", "Editor")], default="", max_length=10
                    ),
                ),
            ],
            options={
                "ordering": ("slug",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("joins_as__in", ["", "viewer", "editor"])), name="identity_provider_role"
                    )
                ],
            },
        ),
    ]
