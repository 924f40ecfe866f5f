"""What happened to tenants, and where each chain ends. In the public schema."""

from django.db import models

from foretell.audit.content import GENESIS
from foretell.audit.entries import AuditEntry


class InstallationEntry(AuditEntry):
    """One change of a tenant as such: made, suspended, given another domain, deleted."""

    class Meta(AuditEntry.Meta):
        db_table = "installation_audit_entry"
        indexes = [models.Index(fields=["target_kind", "target_id", "-position"], name="installation_audit_of_target")]


class ChainHead(models.Model):
    """Where the chain of a schema ends, and where it begins since its oldest rows went; triggers write the end, nobody else.

    Security: kept apart from the rows, so that rows missing at the end are missed.
    """

    schema_name = models.CharField(max_length=63, primary_key=True)
    position = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default=GENESIS)
    pruned_position = models.BigIntegerField(default=0)
    pruned_digest = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        db_table = "installation_audit_head"

    def __str__(self) -> str:
        return f"{self.schema_name}: {self.position}"
