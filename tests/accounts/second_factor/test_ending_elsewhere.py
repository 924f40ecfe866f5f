"""Setting a second factor up, or taking it off, ends sessions and tokens elsewhere: whoever was in by the password alone is out."""

import json
from collections.abc import Callable

import httpx
import pytest

from foretell.accounts.second_factor import recording
from tests.accounts.flows.walking import Headless, mails
from tests.accounts.second_factor.conftest import App, Clock
from tests.accounts.second_factor.device import Device
from tests.accounts.second_factor.test_headless import AUTHENTICATORS, confirmed
from tests.cast import PASSWORD, House
from tests.http import HttpFor

Change = Callable[[Headless, Clock], httpx.Response]


def set_up_app(here: Headless, clock: Clock) -> httpx.Response:
    secret = here.get(f"{AUTHENTICATORS}/totp").json()["meta"]["secret"]
    return here.post(f"{AUTHENTICATORS}/totp", code=App(secret, clock.step).code())


def take_app_off(here: Headless, clock: Clock) -> httpx.Response:
    return here.ask("DELETE", f"{AUTHENTICATORS}/totp")


def add_passkey(here: Headless, clock: Clock) -> httpx.Response:
    options = here.get(f"{AUTHENTICATORS}/webauthn").json()["data"]
    return here.post(f"{AUTHENTICATORS}/webauthn", name="ring", credential=json.loads(Device().create(options)))


def remove_passkeys(here: Headless, clock: Clock) -> httpx.Response:
    ids = [row["id"] for row in here.get(AUTHENTICATORS).json()["data"] if row["type"] == "webauthn"]
    return here.ask("DELETE", f"{AUTHENTICATORS}/webauthn", authenticators=ids)


class Elsewhere:
    """Bob's other browser, and a program of his with tokens, signed in by his password."""

    def __init__(self, http_for: HttpFor) -> None:
        self.program = http_for(None, tenant="acme")
        self.browser = Headless(http_for(None, tenant="acme"))
        assert self.browser.post("auth/login", username="bob", password=PASSWORD).status_code == 200
        asked = self.program.post("/api/token/", json={"username": "bob", "password": PASSWORD})
        self.tokens = asked.json()

    def statuses(self) -> list[int]:
        bearer = {"Authorization": f"Bearer {self.tokens['access']}"}
        return [
            self.browser.get("auth/session").status_code,
            self.program.get("/api/v1/me/", headers=bearer).status_code,
            self.program.get("/v2/models/none", headers=bearer).status_code,
            self.program.post("/api/token/refresh/", json={"refresh": self.tokens["refresh"]}).status_code,
        ]


IN, OUT = [200, 200, 404, 200], [401, 401, 401, 401]


@pytest.fixture
def here(http_for: HttpFor) -> Headless:
    browser = Headless(http_for(None, tenant="acme"))
    confirmed(browser)
    return browser


@pytest.mark.parametrize("change", [set_up_app, add_passkey])
def test_a_new_one_ends_what_the_password_alone_had_opened(
    acme: House, here: Headless, http_for: HttpFor, clock: Clock, change: Change
) -> None:
    elsewhere = Elsewhere(http_for)

    assert change(here, clock).status_code == 200

    assert elsewhere.statuses() == OUT
    assert here.get("auth/session").status_code == 200
    assert http_for("bob").get("/api/v1/me/").status_code == 200, "keys are credentials of their own"
    assert [(mail.to, "second factor" in mail.subject) for mail in mails(acme)] == [("bob@acme.example", True)]


@pytest.mark.parametrize(("first", "then"), [(set_up_app, take_app_off), (add_passkey, remove_passkeys)])
def test_so_does_taking_one_off(
    acme: House, here: Headless, http_for: HttpFor, clock: Clock, monkeypatch: pytest.MonkeyPatch, first: Change, then: Change
) -> None:  # fmt: skip
    elsewhere = Elsewhere(http_for)
    with monkeypatch.context() as without:
        without.setattr(recording, "changed", lambda row, what: None)
        assert first(here, clock).status_code == 200
    assert elsewhere.statuses() == IN, "the control: with the defence out they go on"

    assert then(here, clock).status_code == 200

    assert elsewhere.statuses() == OUT
    assert here.get("auth/session").status_code == 200


def test_a_recovery_code_that_is_used_is_told(acme: House, http_for: HttpFor, codes: list[str]) -> None:
    """Each once; a wrong one is not."""
    asked = {"username": "bob", "password": PASSWORD}
    program = http_for(None, tenant="acme")

    statuses = [program.post("/api/token/", json={**asked, "code": code}).status_code for code in (codes[0], codes[0])]

    assert statuses == [200, 403]
    assert [mail.subject for mail in mails(acme)] == ["acme: a recovery code was used"]


def test_a_sign_in_that_was_begun_elsewhere_is_over(here: Headless, http_for: HttpFor, clock: Clock) -> None:
    """Its password was shown before, and a code is asked for now."""
    set_up_app(here, clock)
    begun = Headless(http_for(None, tenant="acme"))
    begun.post("auth/login", username="bob", password=PASSWORD)
    clock.step += 3
    take_app_off(here, clock)

    assert begun.post("auth/2fa/authenticate", code="000000").status_code in (400, 401, 403)
    assert begun.get("auth/session").status_code == 401
