"""/settings/security/ and the second step of a sign-in, as a browser goes through them."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db.models import Max
from django.utils import timezone

from foretell.audit.models import Entry
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token, send, sign_in, text_of

HOME = "/settings/security/"
Done = Callable[[], list[str]]


def code_of(secret: str, *, ahead: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // 30 + ahead)))


def confirmed(client: httpx.Client, url: str) -> httpx.Response:
    """Open a page that asks once more who one is, and answer with the password."""
    asked = client.get(url)
    assert asked.status_code == 302
    assert asked.headers["location"].startswith("/accounts/reauthenticate/")
    answer = send(client, asked.headers["location"], {"password": PASSWORD, "next": url})
    assert (answer.status_code, answer.headers["location"]) == (302, url)
    return client.get(url)


def secret_on(page: str) -> str:
    found = re.search(r'id="totp-key">([A-Z2-7]{32})<', page)
    assert found is not None
    return found[1]


def set_up(client: httpx.Client) -> tuple[str, list[str]]:
    """Set an app up as a person does; return its secret and the recovery codes."""
    page = confirmed(client, f"{HOME}app/").text
    secret = secret_on(page)
    answer = client.post(f"{HOME}app/", data={"csrfmiddlewaretoken": csrf_token(page), "code": code_of(secret)})
    assert (answer.status_code, answer.headers["location"]) == (302, f"{HOME}codes/")
    codes = re.findall(r"\b\d{8}\b", client.get(f"{HOME}codes/").text.split('id="codes">')[1].split("</code>")[0])
    assert len(codes) == 10
    return secret, codes


@pytest.fixture
def bob(signed_in: SignedIn) -> httpx.Client:
    return signed_in("bob")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute and a half from the set-up on, so that the app shows a code that was not spent."""


@pytest.fixture
def done(acme: House) -> Done:
    """What the audit says was done to second factors in this test."""
    with acme.inside():
        start = Entry.objects.aggregate(at=Max("position"))["at"] or 0

    def actions() -> list[str]:
        with acme.inside():
            found = Entry.objects.filter(action__startswith="mfa.", position__gt=start).order_by("position")
            return list(found.values_list("action", flat=True))

    return actions


def test_setting_an_app_up_asks_for_the_password_and_shows_a_picture_under_the_policy(bob: httpx.Client) -> None:
    page = confirmed(bob, f"{HOME}app/")

    assert page.status_code == 200
    assert "<svg" in page.text
    assert "style=" not in page.text.split("<main", 1)[1]
    assert "no-store" in page.headers["cache-control"]


def test_a_wrong_code_sets_nothing_up(acme: House, bob: httpx.Client, done: Done) -> None:
    page = confirmed(bob, f"{HOME}app/").text

    answer = bob.post(f"{HOME}app/", data={"csrfmiddlewaretoken": csrf_token(page), "code": "000000"})

    assert "Incorrect code" in answer.text
    assert done() == []


def test_recovery_codes_are_shown_once(acme: House, bob: httpx.Client, done: Done) -> None:
    _, codes = set_up(bob)

    again = bob.get(f"{HOME}codes/").text

    assert not any(code in again for code in codes)
    assert done()[-3:] == ["mfa.activated", "mfa.recovery_codes_generated", "mfa.recovery_codes_viewed"]


def test_new_recovery_codes_end_the_old_ones(acme: House, bob: httpx.Client, http_for: HttpFor, done: Done) -> None:
    _, old = set_up(bob)

    assert send(bob, f"{HOME}codes/new/", {}).headers["location"] == f"{HOME}codes/"
    page = bob.get(f"{HOME}codes/").text

    assert not any(code in page for code in old)
    assert "mfa.recovery_codes_removed" in done()
    assert second_step(http_for, old[0]).status_code == 422


def begun(http_for: HttpFor) -> httpx.Client:
    """A browser where Bob's password was right."""
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    answer = sign_in(client, "bob", PASSWORD, next="/models/sum/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/accounts/2fa/")
    return client


def second_step(http_for: HttpFor, code: str) -> httpx.Response:
    return send(begun(http_for), "/accounts/2fa/", {"code": code})


def test_the_password_alone_signs_nobody_in(http_for: HttpFor, bob: httpx.Client) -> None:
    set_up(bob)
    client = begun(http_for)

    assert client.get("/").status_code == 302
    assert client.get("/api/v1/me/", headers={"Accept": "application/json"}).status_code == 401
    assert client.get("/settings/keys/").status_code == 302


def test_the_code_finishes_the_sign_in(http_for: HttpFor, acme: House, bob: httpx.Client, done: Done) -> None:
    secret, codes = set_up(bob)
    with acme.inside():  # as if it were a while later: the code of now was seen at the set-up
        row = Authenticator.objects.get(user=acme.user("bob"), type="totp")
        row.data["last_step"] -= 3
        row.save(update_fields=["data"])

    assert second_step(http_for, "000000").status_code == 422
    answer = second_step(http_for, code_of(secret))
    assert (answer.status_code, answer.headers["location"]) == (302, "/models/sum/")
    assert second_step(http_for, code_of(secret)).status_code == 422, "a code opens once"
    assert second_step(http_for, codes[0]).status_code == 302
    assert second_step(http_for, codes[0]).status_code == 422
    assert done().count("mfa.recovery_code_used") == 1


def test_a_sign_in_that_was_begun_can_be_left(http_for: HttpFor, bob: httpx.Client) -> None:
    set_up(bob)
    client = begun(http_for)

    left = send(client, "/accounts/2fa/cancel/", {}, form_at="/accounts/2fa/")

    assert left.headers["location"] == "/accounts/login/"
    assert client.get("/accounts/2fa/").headers["location"] == "/accounts/login/"


def test_turning_it_off_needs_to_be_oneself_and_takes_the_recovery_codes_along(
    acme: House, bob: httpx.Client, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch, done: Done
) -> None:
    set_up(bob)
    from allauth.account import app_settings

    monkeypatch.setattr(type(app_settings._app_settings), "REAUTHENTICATION_TIMEOUT", 0)
    assert bob.get(f"{HOME}app/off/").headers["location"].startswith("/accounts/reauthenticate/")
    monkeypatch.undo()

    assert send(bob, f"{HOME}app/off/", {}).headers["location"] == HOME

    assert set(done()[-2:]) == {"mfa.deactivated", "mfa.recovery_codes_removed"}
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    assert sign_in(client, "bob", PASSWORD).headers["location"] == "/"


@pytest.mark.parametrize(
    "path",
    ["", "app/", "app/off/", "codes/", "codes/new/", "passkeys/add/", "passkeys/1/", "passkeys/1/remove/"],
)
def test_nobody_else_gets_there(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(f"{HOME}{path}").headers["location"].startswith("/accounts/login/")


def test_the_page_says_how_it_stands(bob: httpx.Client) -> None:
    assert "password only" in text_of(bob.get(HOME))
    set_up(bob)
    assert "10 codes are left" in text_of(bob.get(HOME))


def test_service_accounts_and_keys_have_no_second_factor(http_for: HttpFor) -> None:
    answer: Any = http_for("bob").get(HOME, headers={"Accept": "text/html"})
    assert answer.status_code == 302


def test_who_has_a_second_factor_shows_that_once_more_and_not_the_password(
    bob: httpx.Client, acme: House, signed_in: SignedIn, http_for: HttpFor
) -> None:
    _, codes = set_up(bob)
    later = begun(http_for)
    assert send(later, "/accounts/2fa/", {"code": codes[0]}).status_code == 302

    asked = later.get(f"{HOME}app/off/").headers["location"]
    assert asked.startswith("/accounts/reauthenticate/code/")
    assert later.get("/accounts/reauthenticate/").headers["location"].startswith("/accounts/reauthenticate/code/")
    sent = {"csrfmiddlewaretoken": csrf_token(later.get(asked).text), "password": PASSWORD}
    assert (
        later.post("/accounts/reauthenticate/", data=sent)
        .headers["location"]
        .startswith("/accounts/reauthenticate/code/")
    )
    assert later.get(f"{HOME}app/off/").status_code == 302, "the password is not enough"

    assert send(later, asked, {"code": codes[1]}).headers["location"] == f"{HOME}app/off/"
    assert later.get(f"{HOME}app/off/").status_code == 200


def test_allauths_own_rule_would_take_the_password(
    bob: httpx.Client, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above."""
    from allauth.account.internal.flows import reauthentication

    from foretell.accounts.second_factor import again

    _, codes = set_up(bob)
    monkeypatch.setattr(reauthentication, "get_reauthentication_flows", again._ways)
    monkeypatch.setattr(reauthentication, "did_recently_reauthenticate", again._did_recently)
    later = begun(http_for)
    send(later, "/accounts/2fa/", {"code": codes[0]})

    send(later, later.get(f"{HOME}app/off/").headers["location"], {"password": PASSWORD})

    assert later.get(f"{HOME}app/off/").status_code == 200
