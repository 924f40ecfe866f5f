# Service accounts, people who are gone, rolled keys; grants, restricted models and four eyes; invitations. Whoever keeps in memory what
# somebody may do is told of grants and restrictions.

import django.db.models.deletion
import foretell.accounts.folding
import foretell.ids
from django.conf import settings
from django.db import migrations, models


WATCH = """
SELECT public.foretell_watch('accounts_modelgrant', '{user_id, model_name, actions}');
SELECT public.foretell_watch('accounts_modelpolicy', '{model_name, is_restricted}');
"""
UNWATCH = """
SELECT public.foretell_unwatch('accounts_modelpolicy');
SELECT public.foretell_unwatch('accounts_modelgrant');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_token_generation"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=foretell.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("email_key", foretell.accounts.folding.FoldedField(editable=False, max_length=512, source="email")),
                (
                    "role",
                    models.CharField(
                        choices=[("viewer", "Viewer"), ("editor", "Editor"), ("admin", "Admin"), ("owner", "Owner")],
                        default="viewer",
                        max_length=10,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ModelGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("model_name", models.CharField(max_length=100)),
                ("actions", models.JSONField(default=list)),
            ],
            options={
                "ordering": ("model_name", "user_id"),
            },
        ),
        migrations.CreateModel(
            name="ModelPolicy",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("model_name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("is_restricted", models.BooleanField(default=False)),
                ("needs_approval", models.BooleanField(default=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="user",
            name="user_email_unique",
        ),
        migrations.AddField(
            model_name="apikey",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rolled_to",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="rolled_from",
                to="accounts.apikey",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="is_person",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="user",
            name="removed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="responsible",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="service_accounts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="email",
            field=models.EmailField(blank=True, default="", max_length=254),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("email_key", ""), _negated=True), fields=("email_key",), name="user_email_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("email", ""), _negated=True),
                    ("is_person", False),
                    ("removed_at__isnull", False),
                    _connector="OR",
                ),
                name="user_person_has_email",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_person", True), models.Q(("role", "owner"), _negated=True), _connector="OR"),
                name="user_owner_is_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("removed_at", None), ("is_active", False), _connector="OR"),
                name="user_removed_is_out",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                blank=True,
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="modelgrant",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="grants", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                fields=("email_key",),
                name="invitation_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["viewer", "editor", "admin", "owner"])), name="invitation_role_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelgrant",
            constraint=models.UniqueConstraint(fields=("user", "model_name"), name="grant_once"),
        ),
        migrations.RunSQL(WATCH, UNWATCH),
    ]
