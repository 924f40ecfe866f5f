import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import foretell.accounts.tokens.models
import foretell.ids

# Whoever verifies tokens from memory is told of keys, and of families that ended; not of each sign-in and each refresh.
WATCH = """
SELECT public.foretell_watch('tokens_signingkey', '{kid, number, public_key, signs_from}');
CREATE CONSTRAINT TRIGGER foretell_changes AFTER UPDATE ON tokens_tokenfamily DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION public.foretell_on_row();
"""
UNWATCH = """
DROP TRIGGER foretell_changes ON tokens_tokenfamily;
SELECT public.foretell_unwatch('tokens_signingkey');
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0003_token_generation"),
        ("tenants", "0005_revisions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("kid", models.CharField(max_length=43, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField(unique=True)),
                ("public_key", models.CharField(max_length=43)),
                ("sealed", models.BinaryField()),
                ("signs_from", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ("number",)},
        ),
        migrations.CreateModel(
            name="TokenFamily",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foretell.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("secret", models.BinaryField(default=foretell.accounts.tokens.models.new_secret)),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("generation", models.PositiveBigIntegerField()),
                ("scopes", models.JSONField(default=list)),
                ("started_at", models.DateTimeField()),
                ("rotated_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="token_families",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "token families",
                "ordering": ("-started_at",),
                "indexes": [
                    models.Index(fields=["expires_at"], name="tokenfamily_expires"),
                    models.Index(
                        condition=models.Q(("revoked_at__isnull", False)),
                        fields=["revoked_at"],
                        name="tokenfamily_revoked",
                    ),
                ],
            },
        ),
        migrations.RunSQL(WATCH, UNWATCH),
    ]
