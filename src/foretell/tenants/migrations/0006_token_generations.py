# What ends a person's tokens is seen to by the database, whoever writes the row; accounts puts the trigger on its table.

from django.db import migrations

FUNCTION = """
-- A new password, and the end of access or its return, raise the generation; nothing lowers it, not even a row written from memory.
CREATE FUNCTION public.foretell_raise_token_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.token_generation := greatest(NEW.token_generation, OLD.token_generation);
    IF (NEW.password, NEW.is_active) IS DISTINCT FROM (OLD.password, OLD.is_active) THEN
        NEW.token_generation := NEW.token_generation + 1;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_revisions"),
    ]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION public.foretell_raise_token_generation")]
