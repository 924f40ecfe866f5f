"""A tenant's audit. In the tenant's schema; the head of its chain is kept apart, in the public one (`installation.models`)."""

from django.db import models

from foretell.audit.entries import AuditEntry


class Entry(AuditEntry):
    """One change of something that the tenant owns."""

    class Meta(AuditEntry.Meta):
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-position"], name="audit_of_target"),
            models.Index(fields=["actor_id", "-position"], name="audit_of_actor"),
            models.Index(fields=["action", "-position"], name="audit_of_action"),
            models.Index(fields=["at"], name="audit_of_time"),
        ]


class RefusalCount(models.Model):
    """How often somebody was refused within a minute: of many refusals a few have a row, and the rest are counted."""

    id = models.BigAutoField(primary_key=True)
    actor_id = models.CharField(max_length=64)
    minute = models.DateTimeField()
    n_refusals = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor_id", "minute"], name="audit_refusals_counted_once")]

    def __str__(self) -> str:
        return f"{self.actor_id}, {self.minute:%H:%M}: {self.n_refusals}"
