# That somebody has a second factor, or no longer, is told to whoever keeps passwords in memory that were enough.

from django.db import migrations

WATCH = "SELECT public.foretell_watch('mfa_authenticator', '{user_id, type}')"
UNWATCH = "SELECT public.foretell_unwatch('mfa_authenticator')"


class Migration(migrations.Migration):
    dependencies = [
        ("mfa", "0003_authenticator_type_uniq"),
        ("tenants", "0005_revisions"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]
