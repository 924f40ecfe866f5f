"""Links that operators were given, and the sessions that they opened. In the public schema."""

from datetime import datetime

from django.db import models

from foretell.core.models import TimestampedModel
from foretell.ids import uuid7


class OperatorSessionQuerySet(models.QuerySet["OperatorSession"]):
    def enterable(self, now: datetime) -> "OperatorSessionQuerySet":
        return self.filter(entered_at=None, ended_at=None, link_expires_at__gt=now)

    def open(self, now: datetime) -> "OperatorSessionQuerySet":
        return self.filter(entered_at__isnull=False, ended_at=None, expires_at__gt=now)


class OperatorSession(TimestampedModel):
    """One link, and what came of it. Security: of the link and of the cookie only digests are stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    operator = models.CharField(max_length=200)  # who asked for the link: the name in the operating system
    link_digest = models.CharField(max_length=64, unique=True, editable=False)
    link_expires_at = models.DateTimeField()
    digest = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001  none yet is not an empty one
    entered_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OperatorSessionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.operator}, {self.created_at:%Y-%m-%d %H:%M}"
