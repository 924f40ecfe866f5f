"""The prediction log and what was used. In the tenant's schema; written by the drainer alone (`draining.py`)."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Sum

from foretell.accounts.permissions import LogReach

CLOCKS_DIFFER = timedelta(hours=1)  # at most, between a prediction's id and its time


def first_id_at(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of a moment: ids sort by time, so that their index serves for time as well."""
    return uuid.UUID(int=max(int(moment.timestamp() * 1_000), 0) << 80)


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def within(self, reach: LogReach) -> "PredictionQuerySet":
        """Return those that somebody may see."""
        found = self if reach.user_id is None else self.filter(user_id=reach.user_id)
        if reach.models.only is not None:
            found = found.filter(model__in=reach.models.only)
        return found.exclude(model__in=reach.models.hidden) if reach.models.hidden else found

    def since(self, moment: datetime) -> "PredictionQuerySet":
        return self.filter(at__gte=moment, id__gte=first_id_at(moment - CLOCKS_DIFFER))

    def until(self, moment: datetime) -> "PredictionQuerySet":
        return self.filter(at__lt=moment, id__lt=first_id_at(moment + CLOCKS_DIFFER))

    def listed(self) -> "PredictionQuerySet":
        """Return the newest first, without inputs and outputs: they may be a megabyte each."""
        return self.defer("inputs", "outputs").order_by("-id")


class Prediction(models.Model):
    """One answered prediction, whichever protocol it came by.

    cpu_us : of the processor's time; 0 in rows from before it was taken.

    Optimization: no foreign keys. Each would cost a look-up for every prediction, and the log outlives people and keys.
    """

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    model = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    face = models.CharField(max_length=20)
    user_id = models.UUIDField()
    key_id = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001  no key is not a key without a name
    request_id = models.CharField(max_length=128)
    n_rows = models.PositiveIntegerField()
    duration_us = models.PositiveBigIntegerField()
    cpu_us = models.PositiveBigIntegerField(db_default=0)
    n_warnings = models.PositiveIntegerField()
    inputs = models.BinaryField(null=True)
    inputs_type = models.CharField(max_length=20)
    outputs = models.BinaryField(null=True)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["model", "id"], name="prediction_of_model"),
            models.Index(fields=["user_id", "id"], name="prediction_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.version}, {self.at:%Y-%m-%d %H:%M:%S}"


class LogGap(models.Model):
    """Predictions that were answered while the log was full; by the tenant's policy ``best_effort`` only."""

    id = models.UUIDField(primary_key=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    n_predictions = models.PositiveBigIntegerField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.n_predictions} predictions not logged, {self.first_at:%Y-%m-%d %H:%M:%S}"


class UsageHourQuerySet(models.QuerySet["UsageHour"]):
    def between(self, begin: datetime, end: datetime) -> "UsageHourQuerySet":
        return self.filter(hour__gte=begin, hour__lt=end)

    def totals(self) -> dict[str, int]:
        """Return requests, rows, duration, processor time and bytes of all these hours together."""
        amounts = ("requests", "rows", "duration_us", "cpu_us", "bytes")
        sums: dict[str, Any] = {name: Sum(name, default=0) for name in amounts}
        return {name: int(value) for name, value in self.aggregate(**sums).items()}


class UsageHour(models.Model):
    """What was asked of a version by somebody within an hour: the ledger for quotas. It stays when the log's rows go.

    key_id : "" where no key was used.
    bytes : of inputs and outputs, as far as they are logged.
    """

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField()
    model = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    user_id = models.UUIDField()
    key_id = models.CharField(max_length=16, default="", blank=True)
    requests = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    duration_us = models.PositiveBigIntegerField(default=0)
    cpu_us = models.PositiveBigIntegerField(default=0, db_default=0)
    bytes = models.PositiveBigIntegerField(default=0)

    objects = UsageHourQuerySet.as_manager()

    class Meta:
        ordering = ("-hour", "model", "version")
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "model", "version", "user_id", "key_id"], name="usage_hour_counted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.version}, {self.hour:%Y-%m-%d %H:00}: {self.requests}"
