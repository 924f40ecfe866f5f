"""The page of the audit, for admins."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import transaction

from foretell.audit.recording import record
from tests.cast import House

SignedIn = Callable[..., httpx.Client]
PAGE = "/settings/audit/"


def changed(house: House, count: int = 1, **row: Any) -> None:
    for number in range(count):
        with house.inside(), transaction.atomic():
            record(
                **{
                    "action": "model.changed",
                    "target": ("model", "wine"),
                    "after": {"description": f"number {number}"},
                    **row,
                }
            )


def test_an_admin_reads_who_changed_what_from_what_to_what(acme: House, signed_in: SignedIn) -> None:
    changed(acme, before={"description": "<b>old</b>"}, after={"description": "new"})

    page = signed_in("adam").get(PAGE)

    assert page.status_code == 200
    assert "model.changed" in page.text
    assert "&lt;b&gt;old&lt;/b&gt;" in page.text
    assert "<b>old</b>" not in page.text


@pytest.mark.parametrize(("person", "status"), [("bob", 403), ("erin", 403), ("adam", 200), ("alice", 200)])
def test_only_admins_read_it_and_only_they_have_the_link(signed_in: SignedIn, person: str, status: int) -> None:
    browser = signed_in(person)

    assert browser.get(PAGE).status_code == status
    assert (f'href="{PAGE}"' in browser.get("/settings/keys/").text) == (status == 200)


def test_it_is_narrowed_by_its_form(acme: House, signed_in: SignedIn) -> None:
    changed(acme, target=("model", "beer"))
    browser = signed_in("alice")

    found, none = browser.get(PAGE, params={"target": "beer"}), browser.get(PAGE, params={"target": "nothing"})

    assert "model beer" in found.text
    assert "Nothing like this was done." in none.text


def test_a_time_that_is_none_is_said(signed_in: SignedIn) -> None:
    page = signed_in("alice").get(PAGE, params={"at__gte": "yesterday"})

    assert page.status_code == 400
    assert "at__gte" in page.text


def test_older_rows_are_behind_a_link(acme: House, signed_in: SignedIn) -> None:
    changed(acme, 60, target=("model", "many"))
    browser = signed_in("alice")

    first = browser.get(PAGE, params={"target": "many"}).text
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = browser.get(PAGE + older).text

    assert first.count("<li class=") == 50
    assert "number 59" in first
    assert "number 0" in second
    assert 'rel="first"' in second


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "\0"])
def test_a_place_that_is_none_begins_with_the_newest(acme: House, signed_in: SignedIn, before: str) -> None:
    changed(acme)

    assert signed_in("alice").get(PAGE, params={"before": before}).status_code == 200
