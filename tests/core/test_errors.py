"""One shape for every error of our own API, whichever way it arises: RFC 9457, and never a stack trace."""

from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}
JSON = {"Content-Type": "application/json"}

# fmt: off
WAYS_TO_FAIL: list[tuple[int, str, str, str, dict[str, Any]]] = [
    (400, "invalid", "POST", "/api/v1/models/", {"json": {}}),
    (400, "invalid_input", "POST", "/api/v1/models/", {"content": b"{", "headers": JSON}),
    (400, "invalid_input", "POST", "/api/v1/models/", {"content": b"\xff\xfe", "headers": JSON}),
    (400, "invalid_input", "POST", "/api/v1/models/sum/predict/", {"json": {"a": "1"}}),
    (404, "not_found", "GET", "/api/v1/nowhere/", {}),
    (404, "not_found", "GET", "/api/v1/models/%00/", {}),
    (404, "not_found", "GET", "/api/v1/models/absent/", {}),
    (400, "invalid_input", "POST", "/api/v1/models/", {"json": {"name": "wine", "tags": {"a": "\0"}}}),
    (404, "not_found", "GET", "/api/v1/models/?page=99", {}),
    (404, "not_found", "GET", "/api/v1/models/?page=%00", {}),
    (405, "method_not_allowed", "DELETE", "/api/v1/me/", {}),
    (406, "not_acceptable", "GET", "/api/v1/me/", {"headers": {"Accept": "application/x-nothing"}}),
    (409, "model_exists", "POST", "/api/v1/models/", {"json": {"name": "sum"}}),
    (413, "too_large", "POST", "/api/v1/models/", {"content": b"x" * 1_048_577, "headers": JSON}),
    (415, "unsupported_media_type", "POST", "/api/v1/models/", {"content": b"a=1", "headers": {"Content-Type": "text/x"}}),
    (415, "unsupported_media_type", "POST", "/api/v1/models/", {"content": b"{}", "headers": {**JSON, "Content-Encoding": "gzip"}}),
    (415, "unsupported_media_type", "POST", "/api/v1/models/sum/predict/", {"content": b"{}", "headers": {**JSON, "Content-Encoding": "br"}}),
    (428, "precondition_required", "PUT", "/api/v1/models/sum/aliases/champion/", {"json": {"version": 1}}),
    (412, "precondition_failed", "PUT", "/api/v1/models/sum/aliases/champion/", {"json": {"version": 1}, "headers": {"If-Match": '"old"'}}),
]
# fmt: on


def assert_problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == MEMBERS
    assert (body["status"], body["request_id"]) == (status, answer.headers["X-Request-ID"])
    assert code is None or body["code"] == code
    assert body["detail"]
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text
    return body


@pytest.mark.parametrize(
    ("status", "code", "method", "path", "request_"), WAYS_TO_FAIL, ids=lambda value: str(value)[:40]
)
def test_what_a_client_sent_wrong_is_a_problem_in_one_shape(
    http_for: HttpFor, acme: House, status: int, code: str, method: str, path: str, request_: dict[str, Any]
) -> None:
    ready_sum_model(acme)

    assert_problem(http_for("alice").request(method, path, **request_), status, code)


def test_each_fault_is_named_with_its_place(http_for: HttpFor) -> None:
    body = assert_problem(http_for("alice").post("/api/v1/models/", json={"name": "", "tags": 3}), 400)

    assert {fault["attr"] for fault in body["errors"]} >= {"name", "tags"}
    assert all(set(fault) == {"attr", "code", "detail"} for fault in body["errors"])


def test_who_is_not_known_and_who_may_not_get_the_same_shape(http_for: HttpFor) -> None:
    assert_problem(http_for(None).get("/api/v1/models/"), 401, "not_authenticated")
    assert_problem(http_for("bob").post("/api/v1/models/", json={"name": "x"}), 403, "permission_denied")


def test_what_is_anothers_and_what_does_not_exist_answer_the_same_byte_for_byte(
    http_for: HttpFor, globex: House
) -> None:
    ready_sum_model(globex, name="secret", by="carol")
    alice, same = http_for("alice"), {"X-Request-ID": "same"}

    theirs, nobodys = (alice.get(f"/api/v1/models/{name}/", headers=same) for name in ("secret", "absent"))

    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert http_for("carol").get("/api/v1/models/secret/").status_code == 200  # the control


def test_what_breaks_in_a_view_is_a_500_that_tells_nothing_but_where_to_look(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from foretell.accounts.views.me import MeView

    def broken(*_: object) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr(MeView, "get", broken)

    answer = http_for("bob").get("/api/v1/me/")

    assert "swordfish" not in answer.text
    assert_problem(answer, 500, "error")
    assert "the secret is swordfish" in caplog.text


def test_an_error_of_ours_that_no_status_was_given_is_a_500_that_tells_nothing(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from foretell.accounts.views.me import MeView
    from foretell.core.tenancy import NoTenant

    def broken(*_: object) -> None:
        raise NoTenant

    monkeypatch.setattr(MeView, "get", broken)

    body = assert_problem(http_for("bob").get("/api/v1/me/"), 500, "error")

    assert "schema" not in body["detail"]
    assert "No tenant is chosen" in caplog.text


@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/v1/models/"])
def test_a_database_that_is_away_is_503_with_a_time_to_come_back(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    from django.db import OperationalError

    from foretell.core.database_backend.base import DatabaseWrapper

    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    alice = http_for("alice")
    monkeypatch.setattr(DatabaseWrapper, "_cursor", away)

    answer = alice.get(path)

    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_database_that_goes_away_behind_a_page_is_a_page_that_says_so(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from foretell.web.views.signing_in import SignIn

    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(SignIn, "get", away)

    answer = http_for(None).get("/accounts/login/", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "database" in answer.text
    assert int(answer.headers["Retry-After"]) > 0


def test_people_get_pages_where_programs_get_problems(http_for: HttpFor) -> None:
    for path in ("/nowhere/", "/api/v1/nowhere/", "/api/nowhere/"):
        page = http_for(None).get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert_problem(http_for(None).get(path), 404, "not_found")
        assert_problem(http_for(None).get(f"{path}?format=json", headers={"Accept": "text/html"}), 404, "not_found")


def test_a_page_that_is_asked_in_a_way_it_is_not_says_so(http_for: HttpFor) -> None:
    answer = http_for(None).get("/accounts/logout/")

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]
    page = http_for(None).get("/accounts/logout/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (405, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "/%ff%fe/",
        "/models/%00/",
        "/t/acme/%00",
        "/%00",
        "/api/v1/models/%ff/",
        "/" + "a" * 8_000,
        "/api/v1/models/?page=" + "9" * 400,
    ],
)
def test_addresses_that_nobody_means_are_refused_and_nothing_breaks(http_for: HttpFor, path: str) -> None:
    assert http_for("alice").get(path).status_code in (400, 404)


def test_a_value_that_the_database_refuses_is_the_clients_fault(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.accounts.models import User
    from foretell.accounts.views.me import MeView

    monkeypatch.setattr(MeView, "get", lambda *_: User.objects.filter(username="a\0").exists())

    assert_problem(http_for("bob").get("/api/v1/me/"), 400, "invalid")


def test_every_error_raised_on_purpose_has_a_status_that_is_meant() -> None:
    from http import HTTPStatus

    from foretell.errors import ForetellError
    from foretell.inference import errors as inference
    from foretell.problems import status_of
    from foretell.registry import errors as registry

    meant = {
        inference.UnreadableArtifact: 400, inference.MissingPackage: 400, inference.UnsafeGraph: 400, inference.ParityFailed: 400,
        inference.InvalidSignature: 400, inference.SandboxUnavailable: 503, inference.SandboxIncomplete: 503,
        inference.JobTimedOut: 503, inference.JobOutOfMemory: 503, inference.JobCrashed: 503, inference.RunFailed: 503,
    }  # fmt: skip
    assert {kind: status_of(kind("x")) for kind in meant} == meant
    for kind in vars(registry).values():
        if isinstance(kind, type) and issubclass(kind, ForetellError) and kind.__module__ == registry.__name__:
            assert status_of(kind.__new__(kind)) != HTTPStatus.INTERNAL_SERVER_ERROR, kind
