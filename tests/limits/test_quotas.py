"""Monthly quotas: exact, kept over restarts, and never below what the ledger knows."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foretell import problems
from foretell.limits import QuotaExceeded, Quotas

NOVEMBER, DECEMBER = datetime(2026, 11, 21, 12, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)

TAKER = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from foretell.limits import QuotaExceeded, Quotas
quotas, passed = Quotas(Path(sys.argv[1])), 0
for _ in range(2_000):
    try:
        quotas.take("acme", now=datetime(2026, 11, 21, tzinfo=UTC), requests_limit=1_000, rows_limit=None, rows=3)
        passed += 1
    except QuotaExceeded:
        pass
print(json.dumps(passed))
"""


def take(quotas: Quotas, *, tenant: str = "acme", rows: int = 1, now: datetime = NOVEMBER, requests: int | None = None, limit: int | None = None) -> bool:  # fmt: skip
    try:
        quotas.take(tenant, now=now, requests_limit=requests, rows_limit=limit, rows=rows)
    except QuotaExceeded:
        return False
    return True


def test_four_processes_use_exactly_the_quota(tmp_path: Path) -> None:
    takers = [
        subprocess.Popen([sys.executable, "-c", TAKER, str(tmp_path / "quotas")], stdout=subprocess.PIPE)
        for _ in range(4)
    ]

    assert sum(json.loads(taker.communicate(timeout=60)[0]) for taker in takers) == 1_000
    assert Quotas(tmp_path / "quotas").used("acme", now=NOVEMBER) == (1_000, 3_000)


def test_requests_and_rows_are_limited_each(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")

    assert [take(quotas, requests=2) for _ in range(3)] == [True, True, False]
    assert take(quotas, tenant="globex", rows=10, limit=10)
    assert not take(quotas, tenant="globex", rows=1, limit=10)


def test_what_is_refused_is_not_counted(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")
    take(quotas, rows=6, limit=10)

    assert not take(quotas, rows=5, limit=10)
    assert take(quotas, rows=4, limit=10)
    assert quotas.used("acme", now=NOVEMBER) == (2, 10)


def test_the_next_month_begins_anew(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")
    take(quotas, requests=1)

    assert not take(quotas, requests=1)
    assert take(quotas, requests=1, now=DECEMBER)


def test_a_refusal_says_when_the_month_ends(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")
    with pytest.raises(QuotaExceeded) as refused:
        quotas.take("acme", now=NOVEMBER, requests_limit=0, rows_limit=None, rows=1)

    assert refused.value.code == "quota_exceeded"
    assert problems.status_of(refused.value) == 429
    assert refused.value.details["retry_after_s"] == int((DECEMBER - NOVEMBER).total_seconds())
    assert "2026-12-01" in str(refused.value)


def test_counters_outlive_who_counted(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")
    take(quotas, rows=7)
    del quotas

    assert Quotas(tmp_path / "quotas").used("acme", now=NOVEMBER) == (1, 7)


def test_a_ledger_raises_counters_and_never_lowers_them(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas")
    quotas.seed("acme", now=NOVEMBER, requests=5, rows=50)
    take(quotas, rows=10)

    quotas.seed("acme", now=NOVEMBER, requests=5, rows=100)

    assert quotas.used("acme", now=NOVEMBER) == (6, 100)


def test_more_tenants_than_slots_are_all_counted(tmp_path: Path) -> None:
    quotas = Quotas(tmp_path / "quotas", slots=8)
    for number in range(300):
        take(quotas, tenant=str(number), rows=number)

    assert [quotas.used(str(number), now=NOVEMBER) for number in range(300)] == [(1, number) for number in range(300)]


def test_what_a_tenant_used_that_is_gone_is_forgotten_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "quotas"
    quotas = Quotas(path)
    used = path.read_bytes()
    take(quotas, tenant="globex", rows=5)
    without_acme = path.read_bytes()
    take(quotas, rows=7)

    quotas.forget("acme")
    quotas.forget("nobody")

    assert path.read_bytes() == without_acme != used
    assert (quotas.used("acme", now=NOVEMBER), quotas.used("globex", now=NOVEMBER)) == ((0, 0), (1, 5))
