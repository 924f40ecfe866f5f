# Plans that tenants share; why and until when one is suspended, and when it is deleted; functions that a tenant's own role may cause.

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

FUNCTIONS = """
-- A plan is part of what each of its tenants may do.
CREATE FUNCTION public.foretell_on_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.foretell_tenant_changed(schema_name) FROM public.tenants_tenant WHERE plan_id = NEW.name ORDER BY schema_name;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER foretell_rows AFTER UPDATE ON public.tenants_plan
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.foretell_on_plan();

-- Security: a tenant's role may change its own tables alone. That others have to hear of it is written down by this function's owner.
ALTER FUNCTION public.foretell_on_row() SECURITY DEFINER SET search_path = pg_catalog;
REVOKE EXECUTE ON FUNCTION public.foretell_tenant_changed(text) FROM PUBLIC;
DO $$ BEGIN
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;  -- given to everybody before PostgreSQL 15
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;
"""
NO_FUNCTIONS = """
DROP TRIGGER foretell_rows ON public.tenants_plan;
DROP FUNCTION public.foretell_on_plan;
ALTER FUNCTION public.foretell_on_row() SECURITY INVOKER RESET search_path;
GRANT EXECUTE ON FUNCTION public.foretell_tenant_changed(text) TO PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_token_generations"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=42, primary_key=True, serialize=False, validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\\Z",
                        "A plan's name has 1 to 42 small letters, digits and inner hyphens, such as small or team-50.",
                    ),
                ])),
                ("limits", models.JSONField(blank=True, default=dict)),
            ],
            options={"ordering": ("name",)},
        ),
        # The column keeps its name, so that processes of the release before go on while this one is put in place.
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.RenameField("tenant", "limits", "own_limits"),
            migrations.AlterField("tenant", "own_limits", models.JSONField(blank=True, db_column="limits", default=dict)),
        ]),
        migrations.AddField("tenant", "plan", models.ForeignKey(
            blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="tenants", to="tenants.plan",
        )),
        migrations.AddField("tenant", "suspended_reason", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("tenant", "suspended_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("tenant", "delete_after", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
