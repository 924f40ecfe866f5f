# When somebody's address was verified. Those who are here came by an operator or by a mail, and are taken for verified.

from django.db import migrations, models

TRIGGERS = """
CREATE TRIGGER foretell_mirror_email AFTER INSERT ON accounts_user FOR EACH ROW
    EXECUTE FUNCTION public.foretell_mirror_email();
CREATE TRIGGER foretell_mirror_changed_email AFTER UPDATE ON accounts_user FOR EACH ROW
    WHEN ((OLD.email, OLD.email_verified_at) IS DISTINCT FROM (NEW.email, NEW.email_verified_at))
    EXECUTE FUNCTION public.foretell_mirror_email();
SELECT public.foretell_unwatch('accounts_user');
SELECT public.foretell_watch(
    'accounts_user', '{username, role, is_active, password, token_generation, email_verified_at}'
);
UPDATE accounts_user SET email_verified_at = created_at WHERE email <> '';
"""
NO_TRIGGERS = """
SELECT public.foretell_unwatch('accounts_user');
SELECT public.foretell_watch('accounts_user', '{username, role, is_active, password, token_generation}');
DROP TRIGGER foretell_mirror_changed_email ON accounts_user;
DROP TRIGGER foretell_mirror_email ON accounts_user;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("accounts", "0004_members_grants_invitations"),
        ("tenants", "0008_mirrored_email_addresses"),
    ]

    operations = [
        migrations.AddField(
            "user", "email_verified_at", models.DateTimeField(blank=True, editable=False, null=True)
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
