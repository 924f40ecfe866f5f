"""What a row of the audit has, in whichever chain."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.db import models

from foretell.ids import uuid7


class EntryQuerySet(models.QuerySet[Any]):
    def about(self, kind: str, identifiers: Iterable[str]) -> Self:
        return self.filter(target_kind=kind, target_id__in=list(identifiers))

    def since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)


class AuditEntry(models.Model):
    """One change. No foreign keys: a row outlives whom and what it is about.

    position, previous_digest, digest : its place in the chain; the database gives it to the row when its transaction commits.
    content_digest : over what the row says.
    seal : the installation's signature over that.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    position = models.BigIntegerField(null=True, unique=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=200)
    target_name = models.CharField(max_length=200, blank=True, default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_name = models.CharField(max_length=200, blank=True, default="")
    credential = models.CharField(max_length=20)
    credential_id = models.CharField(max_length=64, blank=True, default="")
    face = models.CharField(max_length=20)
    address = models.CharField(max_length=100, blank=True, default="")
    request_id = models.CharField(max_length=128, blank=True, default="")
    content_digest = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")

    objects = EntryQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-position",)

    def __str__(self) -> str:
        return f"{self.position}: {self.action} {self.target_kind} {self.target_id}"
