# The rows become a chain when their transaction commits; see `foretell.audit.installation`.

from django.db import migrations

CHAIN = "SELECT public.foretell_audit_chain('audit_entry');"
UNCHAIN = """
DROP TRIGGER foretell_last ON audit_entry;
DROP TRIGGER foretell_link ON audit_entry;
DROP TRIGGER foretell_guard ON audit_entry;
DROP TRIGGER foretell_guard_all ON audit_entry;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("installation_audit", "0002_chains"),
    ]

    operations = [migrations.RunSQL(CHAIN, UNCHAIN)]
