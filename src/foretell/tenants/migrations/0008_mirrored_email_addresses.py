# allauth reads addresses in a table of its own. It mirrors the people's, whoever writes them; accounts puts the trigger on its table.

from django.db import migrations

FUNCTION = """
-- An address of ASCII is written small, as allauth looks for it; the small letters of other scripts depend on the server.
CREATE FUNCTION public.foretell_mirror_email() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    address text := CASE WHEN NEW.email ~ '^[ -~]*$' THEN lower(NEW.email) ELSE NEW.email END;
BEGIN
    EXECUTE format('DELETE FROM %I.account_emailaddress WHERE user_id = $1 AND email <> $2', TG_TABLE_SCHEMA)
        USING NEW.id, address;
    IF address <> '' THEN
        EXECUTE format(
            'INSERT INTO %I.account_emailaddress (user_id, email, verified, "primary") VALUES ($1, $2, $3, true) '
            'ON CONFLICT (user_id, email) DO UPDATE SET verified = excluded.verified, "primary" = true', TG_TABLE_SCHEMA
        ) USING NEW.id, address, NEW.email_verified_at IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0007_plans_suspension_and_roles"),
    ]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION public.foretell_mirror_email")]
