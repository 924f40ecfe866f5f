"""Errors of allauth's views as problems (RFC 9457), which its own clients read as what they know.

A problem may have members of its own: `data` and `meta` stay, and each entry of `errors` has both its names for what is wrong and where,
`detail` and `message`, `attr` and `param`.
"""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from allauth.headless.internal.restkit.response import APIResponse
from django.http.response import HttpResponseBase

from foretell.core.problems import problem
from foretell.problems import CONTENT_TYPE, NOT_FOUND, Fault, sentence_of

Json = dict[str, Any]

SIGN_IN = ("not_authenticated", "You are not signed in. `data.flows` says how you may be, and what is pending.")
ONCE_MORE = ("reauthentication_required", "Show once more who you are. `data.flows` says how.")
INVALID = ("invalid", "Something in the request is wrong.")
# By status: the code, and what is said where allauth says nothing.
SAID: dict[int, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: INVALID,
    HTTPStatus.UNAUTHORIZED: SIGN_IN,
    HTTPStatus.FORBIDDEN: ("permission_denied", "This is not open to you."),
    HTTPStatus.NOT_FOUND: ("not_found", NOT_FOUND),
    HTTPStatus.CONFLICT: ("conflict", "As things stand, this cannot be done: nothing of the kind is pending, or you are signed in already."),
    HTTPStatus.TOO_MANY_REQUESTS: ("throttled", "Too many requests. Try again in a minute."),
}  # fmt: skip


def as_problem(answer: HttpResponseBase) -> HttpResponseBase:
    """Return the answer; an error of allauth's is said as a problem."""
    if isinstance(answer, APIResponse) and answer.status_code >= HTTPStatus.BAD_REQUEST:
        answer.content = msgspec.json.encode(_problem(json.loads(answer.content)))
        answer.headers["Content-Type"] = CONTENT_TYPE
    return answer


def _problem(said: Json) -> Json:
    more: Json = {name: said[name] for name in ("data", "meta") if name in said}
    if "is_authenticated" in more.get("meta", {}):
        more["meta"]["is_authenticated"] = bool(more["meta"]["is_authenticated"])  # allauth says null for nobody
    is_known = said["status"] == HTTPStatus.UNAUTHORIZED and more.get("meta", {}).get("is_authenticated")
    code, detail = ONCE_MORE if is_known else SAID.get(said["status"], INVALID)
    errors = list(_errors(said.get("errors", ())))
    body = problem(status=said["status"], code=code, detail=sentence_of(errors) if errors else detail)
    return {**body, "errors": errors, **more}


def _errors(said: Iterable[Json]) -> Iterable[Any]:
    for error in said:
        code = error["code"] or "invalid"
        yield {**error, "code": code, **Fault(attr=error.get("param"), code=code, detail=error["message"])}
