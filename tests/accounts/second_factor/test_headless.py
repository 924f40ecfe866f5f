"""allauth's headless API asks for the second factor as the pages do, and sets one up."""

import json
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator

from tests.accounts.flows.walking import Headless
from tests.accounts.second_factor.conftest import App, Clock
from tests.accounts.second_factor.device import Device
from tests.cast import PASSWORD, House
from tests.http import HttpFor

AUTHENTICATORS = "account/authenticators"


@pytest.fixture
def team_page(http_for: HttpFor) -> Headless:
    """A page of a team's own, in a browser."""
    return Headless(http_for(None, tenant="acme"))


def signed_in(api: Headless, name: str = "bob") -> httpx.Response:
    return api.post("auth/login", username=name, password=PASSWORD)


def pending(answer: httpx.Response) -> list[str]:
    return [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]


def confirmed(api: Headless) -> None:
    assert signed_in(api).status_code == 200
    assert api.post("auth/reauthenticate", password=PASSWORD).status_code == 200


def test_the_password_alone_signs_nobody_in(team_page: Headless, app: App) -> None:
    answer = signed_in(team_page)

    assert (answer.status_code, pending(answer)) == (401, ["mfa_authenticate"])
    assert team_page.get("auth/session").status_code == 401
    assert team_page.get(AUTHENTICATORS).status_code == 401


def test_the_code_finishes_it_once(team_page: Headless, http_for: HttpFor, app: App) -> None:
    signed_in(team_page)
    assert team_page.post("auth/2fa/authenticate", code="000000").status_code == 400

    assert team_page.post("auth/2fa/authenticate", code=app.code()).status_code == 200
    assert team_page.get("auth/session").status_code == 200

    other = Headless(http_for(None, tenant="acme"))
    signed_in(other)
    assert other.post("auth/2fa/authenticate", code=app.code()).status_code == 400, "it was used"


def test_guesses_are_limited_here_too(team_page: Headless, app: App) -> None:
    signed_in(team_page)

    answers = [team_page.post("auth/2fa/authenticate", code="000000").status_code for _ in range(8)]

    assert answers == [400] * 5 + [429] * 3


@pytest.mark.parametrize(
    "body", [{}, {"code": 123456}, {"code": "1", "more": 1}, {"code": None}, {"code": ["x"]}, {"code": {}}]
)
def test_a_body_that_is_none_is_400(team_page: Headless, app: App, body: dict[str, Any]) -> None:
    signed_in(team_page)

    assert team_page.post("auth/2fa/authenticate", **body).status_code == 400


def test_an_app_is_set_up_and_turned_off_by_who_shows_once_more_who_they_are(
    acme: House, team_page: Headless, clock: Clock
) -> None:
    signed_in(team_page)
    secret = team_page.get(f"{AUTHENTICATORS}/totp").json()["meta"]["secret"]
    code = App(secret, clock.step).code()
    assert team_page.post(f"{AUTHENTICATORS}/totp", code=code).status_code == 401
    assert team_page.post("auth/reauthenticate", password=PASSWORD).status_code == 200

    assert team_page.post(f"{AUTHENTICATORS}/totp", code=code).status_code == 200
    shown = team_page.get(f"{AUTHENTICATORS}/recovery-codes").json()["data"]["unused_codes"]
    again = team_page.get(f"{AUTHENTICATORS}/recovery-codes")

    assert len(shown) == 10
    assert not any(code in again.text for code in shown)
    assert team_page.ask("DELETE", f"{AUTHENTICATORS}/totp").status_code == 200
    with acme.inside():
        assert not Authenticator.objects.exists()


def test_a_passkey_is_added_and_signs_in(acme: House, team_page: Headless, http_for: HttpFor) -> None:
    confirmed(team_page)
    device, options = Device(), team_page.get(f"{AUTHENTICATORS}/webauthn?passwordless").json()["data"]
    made = json.loads(device.create(options))
    assert (
        team_page.post(f"{AUTHENTICATORS}/webauthn", name="ring", credential=made, passwordless=True).status_code == 200
    )

    other = Headless(http_for(None, tenant="acme"))
    asked = other.get("auth/webauthn/login").json()["data"]
    answer = other.post("auth/webauthn/login", credential=json.loads(device.get(asked)))

    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["username"] == "bob"


@pytest.mark.parametrize("credential", [None, 1, "x", [], {}, {"id": 1}, {"response": {}}, {"response": None}])
def test_what_is_no_credential_is_400(team_page: Headless, credential: Any) -> None:
    team_page.get("auth/webauthn/login")

    assert team_page.post("auth/webauthn/login", credential=credential).status_code == 400


@pytest.mark.parametrize("ids", [None, "x", [1], [None], ["x"], [[1]], 7, {}])
def test_anothers_passkey_is_none_of_theirs(acme: House, team_page: Headless, ids: Any) -> None:
    with acme.inside():
        Authenticator.objects.create(user=acme.user("erin"), type="webauthn", data={"name": "hers", "credential": {}})
    confirmed(team_page)

    assert team_page.ask("DELETE", f"{AUTHENTICATORS}/webauthn", authenticators=ids).status_code == 400
    with acme.inside():
        assert Authenticator.objects.count() == 1
