"""Every page for everybody with a session; tests/test_permissions.py holds that strangers are sent to the login."""

import httpx
import pytest

from tests.cast import House
from tests.models import ready_sum_model
from tests.web.conftest import SignedIn
from tests.web.pages import ask, csrf_token

EVERY_ROLE = ("alice", "adam", "erin", "bob")


@pytest.fixture(autouse=True)
def sum_model(acme: House) -> None:
    ready_sum_model(acme)


@pytest.mark.parametrize("person", EVERY_ROLE)
def test_every_role_sees_the_models_and_may_ask_them(signed_in: SignedIn, person: str) -> None:
    client = signed_in(person)

    assert client.get("/").status_code == 200
    assert client.get("/models/sum/").status_code == 200
    assert ask(client, "/models/sum/", {"a": "1", "b": "2"}).status_code == 200


def test_at_another_tenant_the_model_is_not_there(signed_in: SignedIn) -> None:
    carol = signed_in("carol", tenant="globex")
    token = csrf_token(carol.get("/").text)

    assert carol.get("/models/sum/").status_code == 404
    assert (
        carol.post("/models/sum/", data={"csrfmiddlewaretoken": token, "input:a": "1", "input:b": "2"}).status_code
        == 404
    )


def test_a_session_of_one_tenant_is_none_at_another(signed_in: SignedIn) -> None:
    carol = signed_in("carol", tenant="globex")
    cookies = {cookie.name: cookie.value or "" for cookie in carol.cookies.jar}

    answer = httpx.Client(transport=carol._transport, cookies=cookies).get("http://acme.localhost/models/sum/")

    assert answer.status_code == 302
    assert (
        httpx.Client(transport=carol._transport, cookies=cookies).get("http://globex.localhost/").status_code == 200
    )  # the control


def test_nobody_asks_a_model_without_a_session(visitor: httpx.Client) -> None:
    token = csrf_token(visitor.get("/accounts/login/").text)

    answer = visitor.post("/models/sum/", data={"csrfmiddlewaretoken": token, "input:a": "1", "input:b": "2"})

    assert (answer.status_code, answer.headers["location"]) == (302, "/accounts/login/?next=/models/sum/")


def test_a_form_of_another_site_is_refused(signed_in: SignedIn) -> None:
    assert signed_in("alice").post("/models/sum/", data={"input:a": "1", "input:b": "2"}).status_code == 403


def test_a_session_ends_with_its_persons_access(signed_in: SignedIn, acme: House) -> None:
    from foretell.accounts.services import deactivate_user

    client = signed_in("bob")
    assert client.get("/").status_code == 200

    with acme.inside():
        deactivate_user(user=acme.user("bob"))

    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/"), ("POST", "/"), ("DELETE", "/models/sum/"), ("GET", "/accounts/logout/")]
)
def test_other_methods_are_refused(signed_in: SignedIn, method: str, path: str) -> None:
    client = signed_in("alice")
    token = csrf_token(client.get("/").text)

    assert client.request(method, path, headers={"X-CSRFToken": token}).status_code == 405
