from datetime import datetime

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "foretell.monitoring"
    label = "monitoring"

    def ready(self) -> None:
        from foretell.accounts.limiting import use_ledger

        use_ledger(used_since)


def used_since(moment: datetime) -> tuple[int, int]:
    """Return the requests and rows that the tenant at hand has used since then: what monthly quotas are seeded with."""
    from foretell.monitoring.models import UsageHour

    totals = UsageHour.objects.filter(hour__gte=moment).totals()
    return totals["requests"], totals["rows"]
