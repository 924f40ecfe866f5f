# Who keeps tenants in memory is told what changed: a number per tenant, and a notice, when a change is committed.

from django.db import migrations, models

FUNCTIONS = """
-- Race condition: the triggers are deferred, so the row of a tenant is locked only while a transaction commits: writers neither
-- wait behind a long transaction nor lock each other out. A transaction counts once, however many rows it changed.
-- Numbers are of the clock, so that those after a restore are none of those that were given out after its backup.
CREATE FUNCTION public.foretell_clock() RETURNS bigint LANGUAGE sql AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
$$;

CREATE FUNCTION public.foretell_tenant_changed(changed text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.tenants_revision AS revision (schema_name, number) VALUES (changed, public.foretell_clock())
        ON CONFLICT (schema_name) DO UPDATE SET number = greatest(revision.number + 1, public.foretell_clock())
        WHERE revision.xmin <> pg_current_xact_id()::xid;
    SELECT pg_notify('foretell_catalogue', changed);
$$;

CREATE FUNCTION public.foretell_on_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.tenants_revision WHERE schema_name = OLD.schema_name;
        PERFORM pg_notify('foretell_catalogue', OLD.schema_name);
    ELSE
        PERFORM public.foretell_tenant_changed(NEW.schema_name);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.foretell_on_domain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.foretell_tenant_changed(schema_name) FROM public.tenants_tenant
        WHERE id IN (OLD.tenant_id, NEW.tenant_id);
    RETURN NULL;
END $$;

CREATE FUNCTION public.foretell_on_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.foretell_tenant_changed(TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;

-- Watch a table of a tenant's schema: rows that come or go, and changes of the columns that matter to whoever keeps it in memory.
CREATE FUNCTION public.foretell_watch(watched regclass, columns text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    was text := (SELECT string_agg(format('OLD.%I', name), ', ') FROM unnest(columns) AS name);
    becomes text := (SELECT string_agg(format('NEW.%I', name), ', ') FROM unnest(columns) AS name);
BEGIN
    EXECUTE format('CREATE CONSTRAINT TRIGGER foretell_rows AFTER INSERT OR DELETE ON %s DEFERRABLE INITIALLY DEFERRED '
        'FOR EACH ROW EXECUTE FUNCTION public.foretell_on_row()', watched);
    EXECUTE format('CREATE CONSTRAINT TRIGGER foretell_changes AFTER UPDATE ON %s DEFERRABLE INITIALLY DEFERRED '
        'FOR EACH ROW WHEN ((%s) IS DISTINCT FROM (%s)) EXECUTE FUNCTION public.foretell_on_row()', watched, was, becomes);
    EXECUTE format('CREATE TRIGGER foretell_truncated AFTER TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION public.foretell_on_row()', watched);
END $$;

CREATE FUNCTION public.foretell_unwatch(watched regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS foretell_rows ON %s', watched);
    EXECUTE format('DROP TRIGGER IF EXISTS foretell_changes ON %s', watched);
    EXECUTE format('DROP TRIGGER IF EXISTS foretell_truncated ON %s', watched);
END $$;

CREATE CONSTRAINT TRIGGER foretell_rows AFTER INSERT OR UPDATE OR DELETE ON public.tenants_tenant
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.foretell_on_tenant();
CREATE CONSTRAINT TRIGGER foretell_rows AFTER INSERT OR UPDATE OR DELETE ON public.tenants_domain
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.foretell_on_domain();

INSERT INTO public.tenants_revision (schema_name, number) SELECT schema_name, public.foretell_clock() FROM public.tenants_tenant;
"""

NO_FUNCTIONS = """
DROP TRIGGER foretell_rows ON public.tenants_tenant;
DROP TRIGGER foretell_rows ON public.tenants_domain;
DROP FUNCTION public.foretell_unwatch;
DROP FUNCTION public.foretell_watch;
DROP FUNCTION public.foretell_on_row;
DROP FUNCTION public.foretell_on_domain;
DROP FUNCTION public.foretell_on_tenant;
DROP FUNCTION public.foretell_tenant_changed;
DROP FUNCTION public.foretell_clock;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("schema_name", models.CharField(max_length=63, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
