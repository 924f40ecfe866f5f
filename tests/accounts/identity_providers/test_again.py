"""Who has no password here shows once more who they are by signing in again, before what lets them in is changed."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.utils import timezone

from foretell.accounts.invitations import invite
from foretell.accounts.second_factor import again
from tests.accounts.identity_providers.conftest import BACK, begun, came, person
from tests.accounts.identity_providers.local_provider import LocalProvider
from tests.accounts.identity_providers.test_coming import who
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import send, sign_in, text_of

APP, AGAIN = "/settings/security/app/", "/accounts/reauthenticate/"


@pytest.fixture
def zoe(acme: House, visitor: httpx.Client, work: LocalProvider) -> httpx.Client:
    """Somebody who came by the provider, has no password, and signed in a while ago."""
    with acme.inside():
        invite(email="zoe@acme.example", now=timezone.now())
    assert came(visitor, work, person("zoe")).status_code == 302
    assert who(visitor) == "zoe"
    return visitor


def test_a_sign_in_of_a_moment_ago_is_enough(zoe: httpx.Client) -> None:
    assert zoe.get(APP).status_code == 200


def test_one_of_a_while_ago_is_not(zoe: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "_is_recent", lambda times: False)

    asked = zoe.get(APP)

    assert (asked.status_code, asked.headers["location"].startswith(AGAIN)) == (302, True)
    page = zoe.get(asked.headers["location"])
    assert page.status_code == 200
    assert "Sign in by Work" in text_of(page)
    assert zoe.post(APP).status_code in (302, 403)


def test_control_allauth_lets_whoever_found_the_session_go_on(
    zoe: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "_is_recent", lambda times: False)
    monkeypatch.setattr(again, "_came_recently", again._did_recently)

    assert zoe.get(APP).status_code == 200


def test_the_provider_is_told_to_ask_and_leads_back_to_what_was_wanted(
    zoe: httpx.Client, work: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(again, "_is_recent", lambda times: False)
        asked = zoe.get(APP).headers["location"]
        sent = send(zoe, "/accounts/oidc/work/login/", {"next": APP}, form_at=asked)
    address = sent.text.split("0; url=", 1)[1].split('"', 1)[0].replace("&amp;", "&")

    assert parse_qs(urlsplit(address).query)["prompt"] == ["login"]
    work.claims = person("zoe")
    back = zoe.get(BACK, params=work.authorize(address))
    assert (back.status_code, back.headers["location"]) == (302, APP)
    assert zoe.get(APP).status_code == 200


def test_a_first_sign_in_is_not_asked_twice(visitor: httpx.Client, work: LocalProvider) -> None:
    assert "prompt" not in parse_qs(urlsplit(begun(visitor)).query)


def test_who_has_a_password_is_asked_for_it_as_ever(http_for: HttpFor, acme: House) -> None:
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    sign_in(client, "bob", PASSWORD)

    assert "Your password once more" in text_of(client.get(client.get(APP).headers["location"]))
