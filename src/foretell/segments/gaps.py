"""How many predictions of which tenant were answered without being logged."""

from dataclasses import dataclass

from foretell.ids import uuid7_bytes
from foretell.segments.records import GapRecord


@dataclass(slots=True)
class _Gap:
    first_at_us: int
    last_at_us: int
    count: int = 0


class Gaps:
    """Counted in memory until there is room to write them down. Not safe for threads: the writer's lock is."""

    def __init__(self) -> None:
        self._of_tenant: dict[str, _Gap] = {}

    def __len__(self) -> int:
        return sum(gap.count for gap in self._of_tenant.values())

    def add(self, tenant: str, at_us: int) -> None:
        gap = self._of_tenant.setdefault(tenant, _Gap(at_us, at_us))
        gap.first_at_us, gap.last_at_us = min(gap.first_at_us, at_us), max(gap.last_at_us, at_us)
        gap.count += 1

    def records(self) -> list[GapRecord]:
        return [
            GapRecord(uuid7_bytes(), tenant, gap.first_at_us, gap.last_at_us, gap.count)
            for tenant, gap in self._of_tenant.items()
        ]

    def forget(self, tenant: str) -> None:
        del self._of_tenant[tenant]
