"""Deleting what a tenant keeps no longer; its usage stays."""

from datetime import datetime, timedelta

from foretell.monitoring.models import LogGap, Prediction

BATCH = 5_000  # rows of one statement: none holds others up for long, and what is interrupted goes on where it was


def delete_expired(*, days: int, now: datetime) -> int:
    """Delete predictions that are older than `days`, in batches; return how many there were."""
    oldest, deleted = now - timedelta(days=days), 0
    LogGap.objects.filter(last_at__lt=oldest).delete()
    while True:
        expired = list(Prediction.objects.until(oldest).order_by("id").values_list("id", flat=True)[:BATCH])
        count, _ = Prediction.objects.filter(id__in=expired).delete()
        deleted += count
        if count < BATCH:
            return deleted
