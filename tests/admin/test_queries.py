"""Lists ask the database as often for thirty rows as for three."""

from typing import Any

import pytest

from tests.admin import addresses
from tests.admin.conftest import Where
from tests.cast import House
from tests.logged import logged_prediction
from tests.registry.catalogue import listed_model, listed_version

MAX_QUERIES = 8


def queries_of(house: House, path: str, *, person: str = "alice") -> int:
    """Return how many queries the view and its page take, for somebody who is signed in."""
    from django.db import connection
    from django.test import RequestFactory
    from django.test.utils import CaptureQueriesContext
    from django.urls import resolve

    request: Any = RequestFactory().get(path)
    with house.inside():
        request.user, request.tenant = house.user(person), house.tenant
        request.session, request._messages = {}, []
        match = resolve(path)
        request.resolver_match = match
        with CaptureQueriesContext(connection) as queries:
            answer = match.func(request, *match.args, **match.kwargs)
            answer.render()
    assert answer.status_code == 200
    return len(queries)


def more(house: House, prefix: str, count: int) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from foretell.accounts.models import APIKey, Invitation, User

    for number in range(count):
        name = f"{prefix}{number}"
        with house.inside():
            user = User.objects.create(
                username=name, is_person=False, password="!", responsible=User.objects.get(username="alice")
            )
            APIKey.objects.create(key_id=f"{name:0>10}"[-10:], secret_digest="0", user=user, name="k", created_by=user)
            Invitation.objects.create(
                email=f"{name}@x.example", expires_at=timezone.now() + timedelta(days=1), invited_by=user
            )
        listed_version(listed_model(house, name), house, alias="champion")
        logged_prediction(house, by="alice")


def test_each_list_takes_a_constant_number_of_queries(where: Where, acme: House) -> None:
    paths = [where(f"admin:{name}_changelist") for name in addresses.OBJECTS]
    more(acme, "a", 2)
    few = {path: queries_of(acme, path) for path in paths}

    more(acme, "b", 10)

    assert {path: queries_of(acme, path) for path in paths} == few
    assert max(few.values()) <= MAX_QUERIES


def test_an_endless_table_is_counted_no_further_than_it_is_paged(
    where: Where, acme: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.admin import paging
    from foretell.monitoring.models import Prediction

    more(acme, "a", 4)
    monkeypatch.setattr(paging, "COUNTED_TO", 3)

    with acme.inside():
        assert paging.CappedPaginator(Prediction.objects.order_by("-id"), 2).count == 3
