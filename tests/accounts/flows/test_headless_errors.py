"""Each error of allauth's headless API is a problem (RFC 9457) as everywhere here, and what allauth's own clients read."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from foretell.accounts.flows.headless.documented import mounted
from foretell.accounts.flows.headless.documented_bodies import body_of
from foretell.accounts.flows.headless.strict import CSRF_HEADER, Strict
from tests.accounts.flows.walking import Headless
from tests.cast import PASSWORD, House
from tests.http import HttpFor

APP = "account/authenticators/totp"
PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}
WRONG: dict[str, Any] = {"string": [1, True, None, ["x"]], "integer": ["x"], "boolean": ["yes", 1], "array": ["x", ["x"]], "object": ["x", []]}  # fmt: skip


@pytest.fixture
def page(http_for: HttpFor) -> Headless:
    """A page of a team's own, in a browser."""
    return Headless(http_for(None, tenant="acme"))


@pytest.fixture
def signed_in(page: Headless) -> Headless:
    assert page.post("auth/login", username="bob", password=PASSWORD).status_code == 200
    return page


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem, which says by all of its members what the status says."""
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (status, status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said.keys() >= PROBLEM
    assert said["type"] == f"urn:foretell:problem:{code}"
    assert said["request_id"] == answer.headers["X-Request-ID"]
    assert said["detail"]
    for error in said["errors"]:
        assert error["detail"] == error["message"]
        assert error["attr"] == error.get("param")
    return said


def raw(http: httpx.Client, method: str, address: str, content: bytes, kind: str) -> httpx.Response:
    headers = {CSRF_HEADER: http.get("/api/v1/config").headers[CSRF_HEADER], "Content-Type": kind}
    return http.request(method, f"/api/v1/{address}", content=content, headers=headers)


def test_every_view_answers_in_the_one_place() -> None:
    assert [name for _, _, name, view in mounted() if not issubclass(view, Strict)] == []


def test_what_is_wrong_is_said_in_both_vocabularies(page: Headless) -> None:
    said = problem_of(page.post("auth/login", username=1, password="wrong", more=1), 400, "invalid")

    assert said["detail"].endswith("(2 more)")
    assert {(error["param"], error["code"]) for error in said["errors"] if "param" in error} == {
        ("username", "invalid"),
        ("more", "unknown_field"),
    }


def test_who_is_not_signed_in_reads_the_ways_in(page: Headless) -> None:
    said = problem_of(page.get("auth/session"), 401, "not_authenticated")

    assert "login" in [flow["id"] for flow in said["data"]["flows"]]
    assert said["meta"] == {"is_authenticated": False}
    assert problem_of(page.get("auth/webauthn/authenticate"), 401, "not_authenticated")["meta"] == said["meta"]


def test_who_has_to_show_it_once_more_reads_how(signed_in: Headless) -> None:
    signed_in.get(APP)

    said = problem_of(signed_in.post(APP, code="000000"), 400, "invalid")
    again = problem_of(signed_in.get("account/authenticators/webauthn"), 401, "reauthentication_required")

    assert said["errors"][0]["param"] == "code"
    assert [flow["id"] for flow in again["data"]["flows"]] == ["reauthenticate"]
    assert (again["data"]["user"]["username"], again["meta"]["is_authenticated"]) == ("bob", True)


def test_what_a_new_app_is_set_up_with_is_beside_what_is_not_there(signed_in: Headless) -> None:
    said = problem_of(signed_in.get(APP), 404, "not_found")

    assert said["meta"].keys() == {"secret", "totp_url"}


def test_what_is_not_pending_is_a_conflict(page: Headless, signed_in: Headless) -> None:
    problem_of(page.post("auth/email/verify", key="ABCD-EFGH"), 409, "conflict")
    problem_of(page.post("auth/email/verify/resend"), 409, "conflict")
    problem_of(signed_in.post("auth/login", username="bob", password=PASSWORD), 409, "conflict")


def test_a_closed_sign_up_is_forbidden(page: Headless) -> None:
    answer = page.post("auth/signup", username="zoe", email="zoe@acme.example", password=PASSWORD)

    problem_of(answer, 403, "sign_up_closed")


def test_too_many_are_told_when_to_try_again(acme: House, page: Headless) -> None:
    answers = [page.post("auth/login", username="bob", password="wrong") for _ in range(12)]

    problem_of(answers[-1], 429, "throttled")
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_without_the_csrf_token_the_refusal_is_a_problem_as_well(http_for: HttpFor) -> None:
    answer = http_for(None).post("/api/v1/auth/login", json={"username": "bob", "password": PASSWORD})

    problem_of(answer, 403, "permission_denied")


@pytest.mark.parametrize(
    "address", ["auth", "auth/nothing", "auth/login/more", "account/email", "auth/provider/redirect"]
)
def test_what_is_not_there_is_a_problem(page: Headless, address: str) -> None:
    problem_of(page.get(address), 404, "not_found")
    problem_of(page.post(address, a=1), 404, "not_found")


def test_what_an_address_does_not_do_is_said_before_its_body_is_looked_at(page: Headless) -> None:
    for _, address, others in undone():
        for method in others:
            answer = page.ask(method, address, username="bob", password=PASSWORD)
            problem_of(answer, 405, "method_not_allowed")
            assert method not in answer.headers["Allow"].split(", ")


def undone() -> Iterator[tuple[str, str, list[str]]]:
    done: dict[tuple[str, str], set[str]] = {}
    for address, method, name, _ in mounted():
        done.setdefault((name, address), set()).add(method.upper())
    for (name, address), methods in done.items():
        yield name, address, sorted({"GET", "POST", "PUT", "PATCH", "DELETE"} - methods)


def test_every_address_may_be_asked_for_its_options_and_its_head(page: Headless) -> None:
    for address, method, _, _ in mounted():
        options = page.ask("OPTIONS", address)
        assert (options.status_code, method.upper() in options.headers["Allow"]) == (200, True)
        if method == "get":
            assert page.ask("HEAD", address).status_code == page.get(address).status_code


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_kind_is_415(http_for: HttpFor, kind: str) -> None:
    body = b'{"username": "bob", "password": "wrong"}'

    problem_of(raw(http_for(None), "POST", "auth/login", body, kind), 415, "unsupported_media_type")


def test_what_is_no_object_of_json_is_said_so(http_for: HttpFor) -> None:
    for body in (b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}', b"null", b'{"username": NaN}', b"[" * 10_000):
        problem_of(
            raw(http_for(None), "POST", "auth/login", body, "application/json; charset=utf-8"), 400, "malformed_json"
        )


def test_a_body_that_is_too_large_is_413(http_for: HttpFor) -> None:
    body = b'{"username": "' + b"x" * 1_100_000 + b'"}'

    problem_of(raw(http_for(None), "POST", "auth/login", body, "application/json"), 413, "too_large")


def bodies() -> list[tuple[str, str, dict[str, Any]]]:
    """Return every body that a browser which is signed in may send at once: others have to walk up to theirs."""
    walked_up_to = ("verify-email", "mfa-authenticate", "passkey-authenticate")
    found = [(address, method, name, body_of(view, method)) for address, method, name, view in mounted()]
    return [
        (method, address, body["content"]["application/json"])
        for address, method, name, body in found
        if body is not None and name not in walked_up_to
    ]


@pytest.mark.parametrize(
    ("method", "address", "content"), bodies(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_field_of_another_kind_is_named_with_what_is_unknown(
    signed_in: Headless, method: str, address: str, content: dict[str, Any]
) -> None:
    signed_in.post("auth/reauthenticate", password=PASSWORD)
    good, fields = content["examples"]["example"]["value"], content["schema"]["properties"]

    for name, field in fields.items():
        for value in WRONG[field["type"]]:
            said = problem_of(signed_in.ask(method, address, **{**good, name: value, "surprise": 1}), 400, "invalid")
            assert {name, "surprise"} <= {error["attr"] for error in said["errors"]}, (name, value)
    for name in content["schema"]["required"]:
        without = {key: value for key, value in good.items() if key != name}
        said = problem_of(signed_in.ask(method, address, **without), 400, "invalid")
        assert name in {error["attr"] for error in said["errors"]}, name


def test_what_takes_nothing_refuses_whatever_is_sent(signed_in: Headless) -> None:
    for method, address in (("POST", "auth/email/verify/resend"), ("POST", "account/authenticators/recovery-codes"), ("DELETE", APP), ("DELETE", "auth/session")):  # fmt: skip
        said = problem_of(signed_in.ask(method, address, surprise=1), 400, "invalid")
        assert said["errors"][-1]["code"] == "unknown_field"

    assert signed_in.get("auth/session").status_code == 200


def test_a_password_that_ends_with_a_space_signs_in(acme: House, page: Headless) -> None:
    from foretell.accounts.services import create_user

    password = " a passphrase between spaces "
    with acme.inside():
        create_user(username="temp", email="temp@acme.example", password=password)

    assert page.post("auth/login", username="temp", password=password).status_code == 200


def test_a_code_that_is_a_number_is_not_used(signed_in: Headless) -> None:
    """Security: what is refused for its kind is not compared, so that it costs and opens nothing."""
    signed_in.get(APP)

    said = problem_of(signed_in.post(APP, code=123456), 400, "invalid")

    assert [error["message"] for error in said["errors"]] == ["Found 123456, expected a text."]


# Whom it is open to.

OPEN = {"config": 200, "auth/webauthn/login": 200, "auth/password/reset": 400}


@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_a_key_opens_nothing_whosever_it_is(acme: House, http_for: HttpFor, person: str | None) -> None:
    client = http_for(person, tenant="acme")
    asked = {(method, address): client.request(method, f"/api/v1/{address}") for address, method, _, _ in mounted()}

    wrong = {
        f"{method} {address}": answer.status_code
        for (method, address), answer in asked.items()
        if answer.status_code != (OPEN.get(address, 401) if method == "get" else 403)
    }
    assert wrong == {}
    assert len(asked) > 30
