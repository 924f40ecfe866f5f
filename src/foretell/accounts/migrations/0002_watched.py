# Changes of people and keys are told to whoever keeps them in memory; that a key was used, or somebody signed in, is none.

from django.db import migrations

WATCH = """
SELECT public.foretell_watch('accounts_user', '{username, role, is_active, password}');
SELECT public.foretell_watch(
    'accounts_apikey', '{key_id, secret_digest, user_id, scopes, model_names, expires_at, revoked_at}'
);
"""
UNWATCH = """
SELECT public.foretell_unwatch('accounts_apikey');
SELECT public.foretell_unwatch('accounts_user');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tenants", "0005_revisions"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]
