"""Each refusal is counted once, by the name of what refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from foretell.limits import MemoryLimiter, QuotaExceeded, Quotas, Throttled, refused
from foretell.limits.refused import Refused
from tests.limits.buckets import Clock, claim

NOVEMBER = datetime(2026, 11, 21, 12, tzinfo=UTC)


def counted_since(before: dict[str, int]) -> dict[str, int]:
    return {
        name: count - before.get(name, 0) for name, count in refused.counts().items() if count > before.get(name, 0)
    }


def test_a_limit_that_refuses_is_counted_and_who_passes_is_not() -> None:
    limiter, one, before = MemoryLimiter(clock=Clock()), claim("2/min", kind="limited"), refused.counts()
    decisions = [limiter.take([one]) for _ in range(5)]
    for decision in decisions:
        if decision is not None and not decision.allowed:
            Throttled(decision)

    assert counted_since(before) == {"limited": 3}


def test_a_quota_that_refuses_is_counted_by_what_is_spent(tmp_path: Path) -> None:
    quotas, before = Quotas(tmp_path / "quotas"), refused.counts()
    quotas.take("acme", now=NOVEMBER, requests_limit=9, rows_limit=5, rows=5)
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            quotas.take("acme", now=NOVEMBER, requests_limit=9, rows_limit=5, rows=1)

    assert counted_since(before) == {"quota of rows": 2}


def test_what_was_counted_is_not_changed_by_whoever_reads_it() -> None:
    counts = Refused()
    counts.note("key")
    counts.counts()["key"] = 99

    assert counts.counts() == {"key": 1}
