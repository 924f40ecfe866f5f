# Changes of what is served are told to whoever keeps it in memory; that a build's lease was renewed is none.

from django.db import migrations

WATCH = """
SELECT public.foretell_watch('registry_registeredmodel', '{name, archived_at, limit_scope, log_payload, redacted_inputs}');
SELECT public.foretell_watch(
    'registry_modelversion', '{model_id, number, state, reason, sha256, size_bytes, runtime, seal}'
);
SELECT public.foretell_watch('registry_alias', '{model_id, name, version_id}');
"""
UNWATCH = """
SELECT public.foretell_unwatch('registry_alias');
SELECT public.foretell_unwatch('registry_modelversion');
SELECT public.foretell_unwatch('registry_registeredmodel');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0003_limit_scope"),
        ("tenants", "0005_revisions"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]
