"""What was used is added up from the ledger, by whatever it is asked for; everybody sees their own, an admin all of it."""

import csv
import io
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.monitoring.conftest import Drain

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
PERIOD = {"from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}


def use(
    house: House,
    who: str,
    *,
    hour: datetime,
    model: str = "sum",
    version: int = 1,
    key: str = "",
    n: int = 1,
    rows: int = 1,
) -> None:
    from foretell.monitoring.models import UsageHour

    with house.inside():
        UsageHour.objects.create(
            hour=hour, model=model, version=version, user_id=house.user(who).pk, key_id=key, requests=n, rows=rows,
            duration_us=500_000 * n, cpu_us=250_000 * n, bytes=10 * rows,
        )  # fmt: skip


@pytest.fixture
def ledger(acme: House, globex: House) -> None:
    use(acme, "bob", hour=JUNE.replace(day=1, hour=9), n=2, rows=20)
    use(acme, "bob", hour=JUNE.replace(day=1, hour=10), n=1, rows=1, key="bobskey")
    use(acme, "erin", hour=JUNE.replace(day=2), n=4, rows=4)
    use(acme, "erin", hour=JUNE.replace(day=2), model="wine", n=8, rows=8)
    use(acme, "bob", hour=JUNE.replace(month=7), n=100, rows=100)  # no more of June
    use(globex, "carol", hour=JUNE.replace(day=1), n=1_000, rows=1_000)


def asked(client: httpx.Client, **params: Any) -> Any:
    answer = client.get("/api/v1/usage/", params={**PERIOD, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("ledger")
def test_an_admin_sees_the_tenants_by_model_and_nothing_of_another_tenants(alice: httpx.Client) -> None:
    answer = asked(alice)

    assert [(row["model"], row["requests"], row["rows"]) for row in answer["results"]] == [
        ("sum", 7, 25),
        ("wine", 8, 8),
    ]
    assert answer["total"] == {"requests": 15, "rows": 33, "duration_s": 7.5, "cpu_s": 3.75, "bytes": 330}
    assert (answer["by"], answer["count"]) == (["model"], 2)


@pytest.mark.usefixtures("ledger")
def test_anybody_else_sees_their_own(bob: httpx.Client) -> None:
    assert asked(bob)["total"]["requests"] == 3


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("day", [("2026-06-02T00:00:00Z", 12), ("2026-06-01T00:00:00Z", 3)]),
        ("user", [("bob", 3), ("erin", 12)]),
        ("key", [(None, 14), ("bobskey", 1)]),
        ("month", [("2026-06-01T00:00:00Z", 15)]),
    ],
)
def test_it_is_told_apart_by_what_is_asked(alice: httpx.Client, by: str, expected: list[Any]) -> None:
    rows = asked(alice, by=by)["results"]

    assert sorted(((row[by], row["requests"]) for row in rows), key=str) == sorted(expected, key=str)


@pytest.mark.usefixtures("ledger")
def test_groups_go_together_and_hours_are_the_finest(alice: httpx.Client) -> None:
    rows = asked(alice, by="hour,model", model="sum")["results"]

    assert [(row["hour"], row["model"], row["requests"]) for row in rows] == [
        ("2026-06-02T00:00:00Z", "sum", 4), ("2026-06-01T10:00:00Z", "sum", 1), ("2026-06-01T09:00:00Z", "sum", 2),
    ]  # fmt: skip


@pytest.mark.usefixtures("ledger")
def test_it_is_narrowed_to_a_key(alice: httpx.Client) -> None:
    assert asked(alice, key="bobskey")["total"] == {
        "requests": 1, "rows": 1, "duration_s": 0.5, "cpu_s": 0.25, "bytes": 10,
    }  # fmt: skip


@pytest.mark.usefixtures("ledger")
def test_all_of_it_comes_as_csv(alice: httpx.Client) -> None:
    answer = alice.get("/api/v1/usage/", params={**PERIOD, "by": "day,model", "format": "csv"})

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [(row["day"][:10], row["model"], row["requests"]) for row in rows] == [
        ("2026-06-02", "sum", "4"), ("2026-06-02", "wine", "8"), ("2026-06-01", "sum", "3"),
    ]  # fmt: skip
    assert (rows[0]["duration_s"], rows[0]["cpu_s"]) == ("2.0", "1.0")


@pytest.mark.usefixtures("ledger")
def test_a_person_who_is_gone_has_no_name_and_counts(alice: httpx.Client, acme: House) -> None:
    from foretell.monitoring.models import UsageHour

    with acme.inside():
        UsageHour.objects.create(hour=JUNE, model="sum", version=1, user_id=uuid4(), requests=1, rows=1)

    assert {row["user"]: row["requests"] for row in asked(alice, by="user")["results"]} == {
        "bob": 3,
        "erin": 12,
        None: 1,
    }


@pytest.mark.parametrize(
    ("params", "field"),
    [({"by": "colour"}, "by"), ({"by": "month,day,hour,model,user"}, "by"), ({"from": "yesterday"}, "from"), ({"to": "2026-05-01T00:00:00Z"}, "to"),
     ({"colour": "red"}, "colour"), ({"version": "0"}, "version")],
)  # fmt: skip
def test_what_nobody_knows_is_refused_and_named(alice: httpx.Client, params: dict[str, str], field: str) -> None:
    answer = alice.get("/api/v1/usage/", params={**PERIOD, **params})

    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [field]


def test_a_predictions_processor_time_is_counted_to_its_model_and_key(
    acme: House, alice: httpx.Client, bob: httpx.Client, drain: Drain
) -> None:
    ready_sum_model(acme)
    for _ in range(3):
        bob.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2})
    drain()

    (used,) = alice.get("/api/v1/usage/", params={"by": "model,key,hour", "key": acme.people["bob"].key_id}).json()[
        "results"
    ]
    logged = bob.get("/api/v1/predictions/").json()["results"]

    assert (used["model"], used["requests"]) == ("sum", 3)
    assert 0 < used["cpu_s"] < 10
    assert used["cpu_s"] == pytest.approx(sum(one["cpu_ms"] for one in logged) / 1e3)


def test_without_a_period_it_is_this_months(alice: httpx.Client, acme: House) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    use(acme, "bob", hour=now.replace(day=1, hour=0), n=3)
    use(acme, "bob", hour=JUNE.replace(year=2020), n=50)

    assert alice.get("/api/v1/usage/").json()["total"]["requests"] == 3


def test_it_takes_the_same_number_of_queries_however_much_there_is(http_for: HttpFor, acme: House) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from foretell.monitoring.usage import Period, grouped, told, used

    period = Period(JUNE, JUNE.replace(month=7))

    def count() -> int:
        with acme.inside(), CaptureQueriesContext(connection) as queries:
            told(grouped(used(period), ["user", "model"]), ["user", "model"])
        return len(queries)

    use(acme, "bob", hour=JUNE)
    few = count()
    for number in range(20):
        use(acme, "erin", hour=JUNE, model=f"model-{number}")

    assert count() == few
