"""A write without permission changes nothing, and its audit says that it was tried; who tries without end does not fill it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from foretell.audit import actors
from foretell.audit.models import Entry, RefusalCount
from foretell.audit.refusals import PER_MINUTE, Attempt, refused, write_down_counts
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token

NOON = datetime(2026, 5, 1, 12, 0, 5, tzinfo=UTC)
ATTEMPT = Attempt("promote", ("alias", "sum@champion"))
MALLORY = actors.Actor(user_id="01a1fd19-5c37-7fea-93a3-387aa748e341", name="mallory", credential=actors.Credential.KEY)


@pytest.fixture(autouse=True)
def nothing_counted(acme: House) -> None:
    with acme.inside():
        RefusalCount.objects.all().delete()


def denied_since(house: House, position: int) -> list[Entry]:
    with house.inside():
        return list(Entry.objects.filter(action="permission.denied", position__gt=position).order_by("position"))


def end_of(house: House) -> int:
    with house.inside():
        newest: Entry | None = Entry.objects.order_by("-position").first()
        return (newest.position or 0) if newest else 0


def test_a_refused_write_has_a_row_with_who_tried_what_on_what(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)
    end = end_of(acme)

    answer = bob.put("/api/v1/models/sum/aliases/champion/", json={"version": 1})

    (row,) = denied_since(acme, end)
    assert answer.status_code == 403
    assert (row.actor_name, row.target_kind, row.target_id) == ("bob", "alias", "sum@champion")
    assert row.after == {"action": "promote", "method": "PUT", "route": "registry:alias"}


def test_what_a_service_refuses_within_its_transaction_has_a_row_all_the_same(acme: House, erin: httpx.Client) -> None:
    ready_sum_model(acme, by="erin")
    end = end_of(acme)

    answer = erin.patch("/api/v1/models/sum/", json={"archived": True})

    (row,) = denied_since(acme, end)
    assert answer.status_code == 403
    assert (row.actor_name, row.target_kind, row.target_id) == ("erin", "model", "sum")


def test_a_refused_form_of_a_page_has_a_row_as_well(acme: House, signed_in: SignedIn) -> None:
    browser = signed_in("bob")
    token = csrf_token(browser.get("/settings/keys/").text)
    end = end_of(acme)

    answer = browser.post("/settings/members/", data={"csrfmiddlewaretoken": token, "username": "x", "role": "owner"})

    (row,) = denied_since(acme, end)
    assert answer.status_code == 403
    assert (row.actor_name, row.credential, row.face) == ("bob", "session", "page")
    assert row.after == {"action": "manage", "method": "POST", "route": "web:members"}


def test_a_refused_prediction_is_the_predictions_business(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    with acme.inside():
        APIKey.objects.filter(pk=acme.people["bob"].key_id).update(scopes=["models:read"])
    end = end_of(acme)

    answer = http_for("bob").post("/api/v1/models/sum/predict/?x=1", json={"a": 1, "b": 2})

    assert answer.status_code == 403
    assert denied_since(acme, end) == []


def test_a_refusal_stands_where_it_cannot_be_written_down(
    acme: House, bob: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import DatabaseError

    def away(*_: object, **__: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr("foretell.audit.refusals.refused", away)

    assert bob.post("/api/v1/models/", json={"name": "wine"}).status_code == 403


def test_of_one_minutes_refusals_some_have_a_row_and_the_next_minute_says_how_many_had_none(acme: House) -> None:
    end = end_of(acme)
    with acme.inside(), actors.acting(MALLORY):
        for _ in range(PER_MINUTE + 7):
            refused(ATTEMPT, method="PUT", route="registry:alias", now=NOON)
        written = denied_since(acme, end)
        refused(ATTEMPT, method="PUT", route="registry:alias", now=NOON + timedelta(minutes=1))

    assert len(written) == PER_MINUTE
    assert denied_since(acme, end)[-1].after["not_written"] == 7  # type: ignore[index]  # it is no null here


def test_what_was_only_counted_gets_its_row_without_another_refusal(acme: House) -> None:
    with acme.inside(), actors.acting(MALLORY):
        for _ in range(PER_MINUTE + 3):
            refused(ATTEMPT, method="PUT", route="registry:alias", now=NOON)
    end = end_of(acme)

    with acme.inside():
        written = write_down_counts(now=NOON + timedelta(minutes=1))
        left = RefusalCount.objects.count()

    (row,) = denied_since(acme, end)
    assert (written, left) == (1, 0)
    assert (row.target_kind, row.target_id, row.after) == ("user", MALLORY.user_id, {"not_written": 3})
