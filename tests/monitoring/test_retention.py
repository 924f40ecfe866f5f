"""What is older than the tenant keeps is deleted; its usage stays."""

from datetime import UTC, datetime, timedelta

import pytest

from foretell.monitoring import retention
from foretell.monitoring.retention import delete_expired
from foretell.tenants.services import InvalidTenant, set_log
from tests.cast import House
from tests.logged import logged_prediction

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_what_is_older_is_deleted_in_batches_and_nothing_else(
    acme: House, globex: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.monitoring.models import Prediction, first_id_at

    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (*range(8), 100):
        at = NOW - timedelta(days=days, seconds=1)
        for house in (acme, globex):
            logged_prediction(house, by=next(iter(house.people)), id=str(first_id_at(at)), at=at)

    with acme.inside():
        assert delete_expired(days=5, now=NOW) == 4
        assert min(Prediction.objects.values_list("at", flat=True)) > NOW - timedelta(days=5)
        assert Prediction.objects.count() == 5
    with globex.inside():
        assert Prediction.objects.count() == 9


def test_the_usage_of_what_is_deleted_stays(acme: House) -> None:
    from foretell.monitoring.models import UsageHour

    with acme.inside():
        UsageHour.objects.create(hour=NOW - timedelta(days=400), model="sum", version=1, user_id=acme.user("bob").pk)
        delete_expired(days=1, now=NOW)

        assert UsageHour.objects.count() == 1


@pytest.mark.parametrize(("policy", "days"), [("sometimes", None), (None, 0), (None, -1), (None, 10**9)])
def test_a_policy_that_makes_no_sense_is_refused(acme: House, policy: str | None, days: int | None) -> None:
    with pytest.raises(InvalidTenant):
        set_log(tenant=acme.tenant, policy=policy, retention_days=days)
