"""Of somebody with a second factor, the password alone opens nothing: not Django, not the lane, not other people's protocols, no token."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator

from foretell.accounts import sign_in_policy
from foretell.accounts.sign_in_policy import require_password_is_enough
from foretell.gateway.lane import gateway
from tests.accounts.second_factor.conftest import App, Clock
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model

ROW = {"a": 1.0, "b": 2.0}
DOORS: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "Django": lambda client: client.get("/api/v1/me/"),
    "Django, a write": lambda client: client.post("/api/v1/keys/", json={"name": "k", "scopes": ["predict"]}),
    "the lane": lambda client: client.post("/api/v1/models/sum/predict/", json=ROW),
    "Open Inference Protocol": lambda client: client.get("/v2/models/sum"),
    "KServe v1": lambda client: client.post("/v1/models/sum:predict", json={"instances": [ROW]}),
    "MLflow": lambda client: client.post("/models/sum/invocations", json={"dataframe_records": [ROW]}),
}
doors = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


@pytest.fixture
def basic(acme: House, http_for: HttpFor) -> httpx.Client:
    """Bob's name and password, and nothing else."""
    with acme.inside():
        ready_sum_model(acme)
    client = http_for(None, tenant="acme")
    client.auth = httpx.BasicAuth("bob", PASSWORD)
    return client


@doors
def test_the_password_alone_is_refused(
    basic: httpx.Client, app: App, door: Callable[[httpx.Client], httpx.Response]
) -> None:
    answer = door(basic)

    assert answer.status_code == 403
    assert "not enough" in answer.text


@doors
def test_without_a_second_factor_it_is_enough(
    basic: httpx.Client, door: Callable[[httpx.Client], httpx.Response]
) -> None:
    assert door(basic).status_code in (200, 201)


@doors
def test_with_the_defence_out_the_password_opens(
    basic: httpx.Client, app: App, door: Callable[[httpx.Client], httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_policy, "is_password_enough", lambda user: True)

    assert door(basic).status_code in (200, 201)


def test_the_lane_forgets_at_once_a_password_that_was_enough_a_moment_ago(
    basic: httpx.Client, acme: House, clock: Clock
) -> None:
    assert DOORS["the lane"](basic).status_code == 200

    with acme.inside():
        row = Authenticator.objects.create(user=acme.user("bob"), type="totp", data={"secret": "x"})
    assert DOORS["the lane"](basic).status_code == 403

    with acme.inside():
        row.delete()
    assert DOORS["the lane"](basic).status_code == 200


def test_an_unwatched_second_factor_would_leave_the_lane_open(
    basic: httpx.Client, acme: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above: what the lane keeps is let go of by the trigger alone."""
    assert DOORS["the lane"](basic).status_code == 200
    monkeypatch.setattr(type(gateway()), "refresh", lambda self: None)

    with acme.inside():
        Authenticator.objects.create(user=acme.user("bob"), type="totp", data={"secret": "x"})

    assert DOORS["the lane"](basic).status_code == 200


def test_a_wrong_password_is_told_nothing_of_a_second_factor(basic: httpx.Client, app: App) -> None:
    basic.auth = httpx.BasicAuth("bob", "not his passphrase")

    answers = [DOORS["Django"](basic), DOORS["the lane"](basic)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert "factor" not in answers[0].text + answers[1].text


def test_keys_are_credentials_of_their_own(acme: House, app: App, http_for: HttpFor) -> None:
    assert http_for("bob").get("/api/v1/me/").status_code == 200


def test_an_address_that_was_never_verified_is_not_enough_either(acme: House, basic: httpx.Client) -> None:
    with acme.inside():
        user = acme.user("bob")
        user.email_verified_at = None
        user.save(update_fields=["email_verified_at"])
        with pytest.raises(sign_in_policy.MoreThanPassword):
            require_password_is_enough(user)
    try:
        assert [DOORS[door](basic).status_code for door in ("Django", "the lane", "MLflow")] == [403, 403, 403]
    finally:
        with acme.inside():
            user.email_verified_at = user.created_at
            user.save(update_fields=["email_verified_at"])


# --- tokens --------------------------------------------------------------------------------------------------------------


def asked(http_for: HttpFor, **fields: Any) -> httpx.Response:
    body = {"username": "bob", "password": PASSWORD, **fields}
    return http_for(None, tenant="acme").post("/api/token/", json=body)


def test_a_token_needs_the_code_and_says_so(http_for: HttpFor, app: App) -> None:
    refused = asked(http_for)

    assert (refused.status_code, refused.json()["code"]) == (403, "code_needed")
    assert "`code`" in refused.json()["detail"]
    assert asked(http_for, code=app.code()).status_code == 200


def test_a_recovery_code_will_do_once(http_for: HttpFor, app: App, codes: list[str]) -> None:
    assert asked(http_for, code=codes[3]).status_code == 200
    again = asked(http_for, code=codes[3])

    assert (again.status_code, again.json()["code"]) == (403, "wrong_code")


@pytest.mark.parametrize("code", ["000000", "nonsense", " ", "\uff11" * 6, "\u0660" * 6, "-" * 30, "1"])
def test_another_code_is_none(http_for: HttpFor, app: App, code: str) -> None:
    assert asked(http_for, code=code).status_code in (400, 403)


def test_a_code_that_nobody_asks_for_changes_nothing(http_for: HttpFor) -> None:
    assert asked(http_for, code="123456").status_code == 200


def test_the_right_code_with_a_wrong_password_is_a_wrong_password_and_keeps_the_code(
    http_for: HttpFor, app: App
) -> None:
    assert asked(http_for, password="wrong", code=app.code()).status_code == 401
    assert asked(http_for, code=app.code()).status_code == 200
