"""Every address of a tenant's admin, for everybody: strangers are sent to our own login, who does not manage is refused."""

from typing import Any

import pytest
from django.urls import get_resolver

from foretell.admin.tenant.site import TenantSite
from tests.admin import addresses
from tests.admin.conftest import Where
from tests.admin.pages import body_of
from tests.cast import House
from tests.http import HttpFor
from tests.permission_matrix import named
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token

HTML = {"Accept": "text/html"}


def test_every_address_is_listed() -> None:
    there = {name for name, _ in named(get_resolver().url_patterns) if name.startswith("admin:")}

    assert there == set(addresses.PAGES)


def test_the_admin_has_no_door_of_its_own(signed_in: SignedIn) -> None:
    alice = signed_in("alice")

    for gone in ("login", "logout", "password_change", "autocomplete", "r/1/1"):
        assert alice.get(f"/admin/{gone}/").status_code == 404


@pytest.mark.parametrize("person", ["alice", "adam"])
def test_who_manages_sees_every_page(signed_in: SignedIn, where: Where, person: str) -> None:
    client = signed_in(person)

    answers = {name: client.get(where(name)).status_code for name in addresses.PAGES}

    assert {name: status for name, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("person", ["erin", "bob"])
def test_who_does_not_manage_is_refused_everywhere_and_changes_nothing(
    signed_in: SignedIn, where: Where, acme: House, person: str
) -> None:
    client = signed_in(person)
    token = csrf_token(client.get("/").text)

    assert {client.get(where(name)).status_code for name in addresses.PAGES} == {403}
    for name, change in addresses.CHANGES.items():
        answer = client.post(where(name), data={"csrfmiddlewaretoken": token, **change.fields})
        assert answer.status_code == 403, name
    said = last_entry(acme)
    assert (said.action, said.actor_name, said.face) == ("permission.denied", person, "admin")
    assert said.after["route"].startswith("admin:")


def test_control_without_the_guard_a_viewer_comes_in(
    signed_in: SignedIn, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TenantSite, "has_permission", lambda *_: True)
    monkeypatch.setattr("foretell.accounts.access.is_allowed", lambda *_, **__: True)

    assert signed_in("bob").get(where("admin:accounts_user_change")).status_code == 200


def test_strangers_are_sent_to_the_login_and_an_api_key_is_no_session(http_for: HttpFor, where: Where) -> None:
    for client in (http_for(None), http_for("alice")):
        for name in addresses.PAGES:
            answer = client.get(where(name), headers=HTML)
            assert (answer.status_code, answer.headers["Location"]) == (302, f"/accounts/login/?next={where(name)}")


def test_basic_authentication_opens_nothing(http_for: HttpFor) -> None:
    answer = http_for(None).get("/admin/", auth=("alice", "a long enough passphrase"))

    assert answer.status_code == 302


def test_an_admin_sees_an_owner_and_changes_nothing_of_theirs(signed_in: SignedIn, acme: House) -> None:
    adam, alice = signed_in("adam"), acme.user("alice")
    page = adam.get(f"/admin/accounts/user/{alice.pk}/change/")
    fields = {"csrfmiddlewaretoken": csrf_token(page.text), "role": "viewer", "is_active": "on"}

    assert page.status_code == 200
    assert 'name="role"' not in page.text
    assert adam.post(f"/admin/accounts/user/{alice.pk}/change/", data=fields).status_code == 403
    assert adam.post(f"/admin/accounts/user/{alice.pk}/delete/", data={**fields, "post": "yes"}).status_code == 403
    assert acme.user("alice").role == "owner"


def test_an_owners_keys_are_not_there_for_an_admin(signed_in: SignedIn, acme: House) -> None:
    adam, alice = signed_in("adam"), signed_in("alice")
    key = acme.people["alice"].key_id

    assert key in alice.get("/admin/accounts/apikey/").text
    assert key not in adam.get("/admin/accounts/apikey/").text
    assert adam.get(f"/admin/accounts/apikey/{key}/change/").status_code == 404
    assert body_of(adam, f"/admin/accounts/apikey/{key}/change/") == body_of(
        adam, "/admin/accounts/apikey/none/change/"
    )


def test_a_form_of_another_site_is_refused(signed_in: SignedIn, where: Where) -> None:
    assert signed_in("alice").post(where("admin:accounts_apikey_delete"), data={"post": "yes"}).status_code == 403


def test_what_is_not_there_is_answered_as_everywhere_else(signed_in: SignedIn) -> None:
    alice = signed_in("alice")
    elsewhere = body_of(alice, "/settings/nothing/")

    for path in (
        "/admin/nothing/",
        "/admin/accounts/user/nothing/change/",
        "/admin/registry/alias/0/change/",
        f"/admin/registry/alias/{10**30}/change/",
    ):
        assert alice.get(path).status_code == 404
        assert body_of(alice, path) == elsewhere


def test_each_page_takes_from_the_limits_of_whoever_asks(signed_in: SignedIn, two_a_minute: None) -> None:
    alice = signed_in("alice")

    statuses = [alice.get("/admin/").status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]


@pytest.fixture
def two_a_minute(acme: House) -> None:
    from foretell.tenants.limits import set_limits

    set_limits(tenant=acme.tenant, changes={"user": "2/min"})


def last_entry(house: House) -> Any:
    from foretell.audit.models import Entry

    with house.inside():
        return Entry.objects.exclude(position=None).order_by("-position")[0]
