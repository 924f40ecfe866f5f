"""Errors of this API as components: our problem, with what allauth's clients read in it."""

from http import HTTPStatus
from typing import Any

from foretell.accounts.flows.headless.problems import SAID
from foretell.core.openapi.failures import FAULT, PROBLEM
from foretell.problems import CONTENT_TYPE, problem

Json = dict[str, Any]

COMPONENT = "#/components/schemas/"
_REQUEST = "01a1fd195c377fea93a3387aa748e341"
_META: Json = {
    "type": "object",
    "required": ["is_authenticated"],
    "properties": {"is_authenticated": {"type": "boolean"}},
}
_FLOWS: Json = {
    "type": "object",
    "required": ["flows"],
    "properties": {
        "flows": {"type": "array", "items": {"$ref": f"{COMPONENT}HeadlessFlow"}},
        "user": {"$ref": f"{COMPONENT}HeadlessUser"},
        "methods": {"type": "array", "items": {"$ref": f"{COMPONENT}HeadlessAuthenticationMethod"}},
    },
}
_NEW_APP: Json = {
    "type": "object",
    "required": ["secret", "totp_url"],
    "properties": {"secret": {"type": "string"}, "totp_url": {"type": "string"}},
}


def _problem_with(description: str, *, required: tuple[str, ...] = (), **properties: Json) -> Json:
    errors = {"errors": {"type": "array", "items": {"$ref": f"{COMPONENT}HeadlessFault"}}}
    return {
        **PROBLEM,
        "description": description,
        "required": [*PROBLEM["required"], *required],
        "properties": {**PROBLEM["properties"], **errors, **properties},
    }


SCHEMAS: Json = {
    "HeadlessFault": {
        **FAULT,
        "description": "One thing that is wrong, in both vocabularies: `attr` and `detail` as everywhere here, `param` and `message` as in allauth.",
        "required": [*FAULT["required"], "message"],
        "properties": {**FAULT["properties"], "param": {"type": "string"}, "message": {"type": "string"}},
    },
    "HeadlessProblem": _problem_with("What went wrong: a problem (RFC 9457), which allauth's clients read as well."),
    "HeadlessUnauthorized": _problem_with(
        "Nobody is signed in, or not yet, or who is has to show it once more: `data.flows` says how to go on.",
        required=("data", "meta"), data=_FLOWS, meta=_META,
    ),
    "HeadlessNoApp": _problem_with(
        "There is no authenticator app; `meta` has what a new one is set up with.", meta=_NEW_APP
    ),
}  # fmt: skip
_WRONG: list[Json] = [
    {
        "param": "code",
        "message": "Incorrect code.",
        "code": "incorrect_code",
        "attr": "code",
        "detail": "Incorrect code.",
    }
]
_PENDING: Json = {
    "data": {"flows": [{"id": "login"}, {"id": "mfa_authenticate", "is_pending": True, "types": ["totp"]}]},
    "meta": {"is_authenticated": False},
}
_APP: Json = {
    "meta": {
        "secret": "J4ZKKXTK7NOVU7EPUVY23LCDV4T2QZYM",
        "totp_url": "otpauth://totp/ada?secret=J4ZKKXTK7NOVU7EPUVY23LCDV4T2QZYM",
    }
}


def _response(status: HTTPStatus, component: str, description: str, **more: Any) -> Json:
    code, detail = SAID[status]
    said = "code: Incorrect code." if "errors" in more else detail
    value = {**problem(status=status, code=code, detail=said, request_id=_REQUEST), **more, "status": int(status)}
    content = {"schema": {"$ref": f"{COMPONENT}{component}"}, "examples": {code: {"value": value}}}
    return {"description": description, "content": {CONTENT_TYPE: content}}


RESPONSES: Json = {
    "HeadlessInvalid": _response(
        HTTPStatus.BAD_REQUEST, "HeadlessProblem", "Something in the request is wrong; `errors` names every fault at once.", errors=_WRONG
    ),
    "HeadlessUnauthorized": _response(
        HTTPStatus.UNAUTHORIZED, "HeadlessUnauthorized", "Nobody is signed in, or something is still to be shown: `data.flows` says what.", **_PENDING
    ),
    "HeadlessConflict": _response(
        HTTPStatus.CONFLICT, "HeadlessProblem", "Nothing of the kind is pending, or somebody is signed in already."
    ),
    "HeadlessNoApp": _response(HTTPStatus.NOT_FOUND, "HeadlessNoApp", "There is no authenticator app; `meta` is for a new one.", **_APP),
}  # fmt: skip
