# A number that a person's tokens carry: raised, it ends them. Whoever keeps people in memory is told.

from django.db import migrations, models

TRIGGER = """
CREATE TRIGGER foretell_token_generation BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN ((OLD.password, OLD.is_active) IS DISTINCT FROM (NEW.password, NEW.is_active)
        OR NEW.token_generation < OLD.token_generation)
    EXECUTE FUNCTION public.foretell_raise_token_generation();
SELECT public.foretell_unwatch('accounts_user');
SELECT public.foretell_watch('accounts_user', '{username, role, is_active, password, token_generation}');
"""
NO_TRIGGER = """
SELECT public.foretell_unwatch('accounts_user');
SELECT public.foretell_watch('accounts_user', '{username, role, is_active, password}');
DROP TRIGGER foretell_token_generation ON accounts_user;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_watched"),
        ("tenants", "0006_token_generations"),
    ]

    operations = [
        migrations.AddField("user", "token_generation", models.PositiveBigIntegerField(default=0, editable=False)),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
    ]
