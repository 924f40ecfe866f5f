# How rows become a chain, and stay as they are.
#
# Race condition: a row's place in the chain is given to it while its transaction commits, and not before. Who commits holds the head
# of one chain from then until the commit is on the disk: no longer, whatever the transaction did before.
# Deadlocks: the head is locked last. A deferred trigger alone would not do: at a commit the triggers fire in the order of the
# statements, so that another one (a foreign key's, the tenant's revision's) could wait for a row while the head is held. So the first
# one only touches the row; that fires the second, which PostgreSQL puts behind all that was waiting at the commit. Whoever holds a
# head therefore waits for nothing but another head, and no transaction writes to two chains that others can see, but the
# installation's and then a tenant's of its own making.
# Security: the functions are their owner's, so that who may write to a tenant's schema alone cannot write to the heads.

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION public.foretell_audit_last() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE format('UPDATE %I.%I SET position = NULL WHERE id = $1', TG_TABLE_SCHEMA, TG_TABLE_NAME) USING NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION public.foretell_audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    head public.installation_audit_head;
    linked text;
BEGIN
    INSERT INTO public.installation_audit_head (schema_name, position, digest, pruned_position, pruned_digest)
        VALUES (TG_TABLE_SCHEMA, 0, repeat('0', 64), 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM public.installation_audit_head WHERE schema_name = TG_TABLE_SCHEMA FOR UPDATE;
    linked := encode(
        sha256(convert_to(concat_ws(E'\\n', head.position + 1, head.digest, NEW.content_digest, NEW.seal), 'UTF8')), 'hex'
    );
    UPDATE public.installation_audit_head SET position = head.position + 1, digest = linked WHERE schema_name = TG_TABLE_SCHEMA;
    EXECUTE format('UPDATE %I.%I SET position = $1, previous_digest = $2, digest = $3 WHERE id = $4', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        USING head.position + 1, head.digest, linked, NEW.id;
    RETURN NULL;
END $$;

-- A row changes once, when it gets its place; it goes only with all before it, and when the head says that they are to go.
CREATE FUNCTION public.foretell_audit_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    place text[] := '{position, previous_digest, digest}';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NULL AND to_jsonb(OLD) - place = to_jsonb(NEW) - place THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.position <= (
            SELECT pruned_position FROM public.installation_audit_head WHERE schema_name = TG_TABLE_SCHEMA
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit rows stay as they are: % of %.% was refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Old rows go with `foretell audit prune`, which is itself recorded.';
END $$;

CREATE FUNCTION public.foretell_audit_chain(chained regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE CONSTRAINT TRIGGER foretell_last AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED '
        'FOR EACH ROW EXECUTE FUNCTION public.foretell_audit_last()', chained);
    EXECUTE format('CREATE CONSTRAINT TRIGGER foretell_link AFTER UPDATE ON %s DEFERRABLE INITIALLY DEFERRED '
        'FOR EACH ROW WHEN (NEW.position IS NULL) EXECUTE FUNCTION public.foretell_audit_link()', chained);
    EXECUTE format('CREATE TRIGGER foretell_guard BEFORE UPDATE OR DELETE ON %s '
        'FOR EACH ROW EXECUTE FUNCTION public.foretell_audit_guard()', chained);
    EXECUTE format('CREATE TRIGGER foretell_guard_all BEFORE TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION public.foretell_audit_guard()', chained);
END $$;

SELECT public.foretell_audit_chain('public.installation_audit_entry');
"""
NO_FUNCTIONS = """
DROP TRIGGER foretell_last ON public.installation_audit_entry;
DROP TRIGGER foretell_link ON public.installation_audit_entry;
DROP TRIGGER foretell_guard ON public.installation_audit_entry;
DROP TRIGGER foretell_guard_all ON public.installation_audit_entry;
DROP FUNCTION public.foretell_audit_chain;
DROP FUNCTION public.foretell_audit_guard;
DROP FUNCTION public.foretell_audit_link;
DROP FUNCTION public.foretell_audit_last;
"""


class Migration(migrations.Migration):
    dependencies = [("installation_audit", "0001_initial")]

    operations = [migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS)]
