"""The ways to fail that lie around our views, in the same shape as those within: Django's own, a door's, and answers without a body."""

from typing import Any

import httpx
import pytest
from django.test import override_settings
from django.utils import timezone

from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import sign_in

ME = "/api/v1/me/"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:foretell:problem:{code}")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.text


def test_a_forged_write_of_a_session_is_a_problem(http_for: HttpFor) -> None:
    browser = http_for(None)
    sign_in(browser, "alice", PASSWORD)

    assert_problem(browser.post("/api/v1/models/", json={"name": "wine"}), 403, "permission_denied")


def test_a_form_without_its_token_is_a_problem_for_programs(http_for: HttpFor) -> None:
    answer = http_for(None).post("/accounts/login/", data={"username": "bob", "password": PASSWORD})

    assert_problem(answer, 403, "permission_denied")
    assert "CSRF" in answer.json()["detail"]


def test_a_suspended_tenant_is_a_problem(http_for: HttpFor, acme: House) -> None:
    from foretell.tenants.services import suspend_tenant

    suspend_tenant(tenant=acme.tenant, now=timezone.now())

    assert_problem(http_for("bob").get(ME), 403, "tenant_suspended")


def test_a_host_that_the_operator_does_not_allow_is_a_problem(http_for: HttpFor) -> None:
    bob = http_for("bob")

    with override_settings(ALLOWED_HOSTS=["models.example"]):
        answer = bob.get(ME)

    assert_problem(answer, 400, "bad_request")


def test_what_breaks_outside_a_view_tells_nothing_but_where_to_look(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.core.slashes import SlashMiddleware

    def broken(*_: object) -> None:
        raise RuntimeError("the secret is swordfish")

    bob = http_for("bob")
    monkeypatch.setattr(SlashMiddleware, "__call__", broken)

    answer = bob.get(ME)

    assert_problem(answer, 500, "error")
    assert "swordfish" not in answer.text


@pytest.mark.parametrize(("person", "status"), [(None, 401), ("bob", 404)])
def test_head_is_answered_as_get_would_be_with_nothing_in_it(
    http_for: HttpFor, person: str | None, status: int
) -> None:
    client = http_for(person)
    path = ME if person is None else "/api/v1/models/absent/"

    head, get = client.head(path), client.get(path)

    assert (head.status_code, get.status_code, head.content) == (status, status, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"] == "application/problem+json"
    assert head.headers["X-Request-ID"]


def test_options_tells_strangers_nothing_and_others_what_an_address_takes(http_for: HttpFor) -> None:
    assert_problem(http_for(None).options(ME), 401, "not_authenticated")

    answer = http_for("bob").options(ME)

    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "PUT"])
def test_a_method_that_an_address_does_not_take_is_a_problem(http_for: HttpFor, method: str) -> None:
    assert_problem(http_for("alice").request(method, ME), 405, "method_not_allowed")
