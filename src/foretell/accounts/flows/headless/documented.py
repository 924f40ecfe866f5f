"""What the OpenAPI document says of this API: allauth's own words, for what is mounted, with our bodies, errors and credentials."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

from allauth.headless.base.views import AuthenticatedAPIView, AuthenticationStageAPIView

from foretell.accounts.flows.headless import specification
from foretell.accounts.flows.headless.documented_bodies import body_of
from foretell.accounts.flows.headless.documented_errors import RESPONSES, SCHEMAS
from foretell.accounts.flows.headless.strict import CSRF_HEADER

Json = dict[str, Any]

BASE = "api/v1/"
VERBS = {"get": "read", "post": "create", "put": "change", "delete": "delete"}
CSRF: Json = {
    "type": "apiKey",
    "in": "header",
    "name": CSRF_HEADER,
    "description": "Beside the session's cookie, for what changes something: the token that each answer of `config`, `auth/…` and `account/…` has in this header.",
}
# Views that walk on in a session, beside those whose classes say so.
IN_A_SESSION = ("verify-email", "resend-code", "session")
# What allauth's document leaves out, and what can happen where it says nothing of it.
ANSWERED = {"change-password": "Authenticated", "recovery-codes": "RecoveryCodes"}
NEVER_200 = ("signup", "reset-password")  # as our settings are, nobody is signed in by these
CONFLICTS = ("login", "signup", "verify-email", "resend-code", "totp", "passkeys")
# Words for what allauth tells of its settings, or says nothing of.
DESCRIBED = {
    "get config": "What this team offers: how people sign in, whether they sign up, by which providers they come. It is the same for everybody.",
    "post verify-email": "Finish a sign-up, or a sign-in, by the code that was sent by mail. 401 where something is still to be shown.",
    "post resend-code": "Send the code once more.",
    "post signup": "Make an account. 401, with the flow `verify_email` pending, is what comes of it: a code is sent to the address.",
    "post request-reset": "Send a link by which a new password is chosen. The answer is the same whether somebody has the address or not.",
    "get reset-password": "Whose password it is that a link changes. The key is what the link has behind `/key/`.",
    "post reset-password": "Choose a new password by a link. It signs nobody in: 401 says how to go on.",
    "get passkey-authenticate": "What a browser asks a passkey for, as the second step of a sign-in.",
    "get passkey-reauthenticate": "What a browser asks a passkey for, to show once more who somebody is.",
    "get passkey-login": "What a browser asks a passkey for, to sign in with nothing else.",
    "post change-password": "Change one's password by the one of now. All other sessions end, and tokens.",
    "delete session": "Sign out. 401 is what comes of it: nobody is signed in any more.",
}
RESET_KEY: Json = {
    "name": "X-Password-Reset-Key", "in": "header", "required": True, "description": "What the link has behind `/key/`.",
    "schema": {"type": "string"}, "example": "1c2f-9d0e3f6b",
}  # fmt: skip
PASSWORDLESS: Json = {
    "name": "passwordless", "in": "query", "description": "Named, with whatever value: a passkey that signs in by itself.",
    "schema": {"type": "string"}, "example": "",
}  # fmt: skip
PARAMETERS = {"get reset-password": [RESET_KEY], "get passkeys": [PASSWORDLESS]}
OF_ALL = {403: "PermissionDenied", 404: "NotFound", 429: "Throttled", 500: "Error", 503: "Unavailable"}
OF_A_BODY = {400: "HeadlessInvalid", 413: "TooLarge", 415: "UnsupportedMediaType"}


def add_headless(result: Json, **_: Any) -> Json:
    """Add each address that is mounted; a drf-spectacular post-processing hook, after that which adds our own errors."""
    paths, schemas = deepcopy(_made())
    result["paths"] |= paths
    components = result["components"]
    components["schemas"] = dict(sorted({**components["schemas"], **schemas}.items()))
    components["responses"] |= deepcopy(RESPONSES)
    components["securitySchemes"]["csrf"] = CSRF
    return result


@cache
def _made() -> tuple[Json, Json]:
    """Optimization: all of it is of the code alone, and its YAML takes a tenth of a second."""
    paths: Json = {}
    for address, method, name, view in mounted():
        paths.setdefault(f"/{BASE}{address}", {})[method] = _operation(address, method, name, view)
    return paths, SCHEMAS | specification.schemas_for([paths, SCHEMAS])


def mounted() -> Iterator[tuple[str, str, str, Any]]:
    """Yield address, method, name and view of each operation."""
    from foretell.accounts.flows.headless.urls import urlpatterns

    for pattern in urlpatterns:
        view: Any = pattern.callback.view_class  # type: ignore[attr-defined]  # as_view sets it
        for method in VERBS:
            if method in view.http_method_names and hasattr(view, method):
                yield str(pattern.pattern).removeprefix(BASE), method, str(pattern.name), view


def _operation(address: str, method: str, name: str, view: Any) -> Json:
    said, key = specification.operation(address, method), f"{method} {name}"
    slug = address.replace("/", "_").replace("-", "_")
    made: Json = {
        "operationId": f"{slug}_{VERBS[method]}",
        "summary": said["summary"],
        "description": DESCRIBED.get(key) or said.get("description") or said["summary"],
        "tags": [address.partition("/")[0]],
        "security": _security(method, name, view),
        "responses": {**_answer(said, method, name), **_failures(method, name, view)},
    }
    if key in PARAMETERS:
        made["parameters"] = PARAMETERS[key]
    if (body := body_of(view, method)) is not None:
        made["requestBody"] = body
    return made


def _needs_session(name: str, view: Any) -> bool:
    return name in IN_A_SESSION or issubclass(view, AuthenticatedAPIView | AuthenticationStageAPIView)


def _security(method: str, name: str, view: Any) -> list[dict[str, list[str]]]:
    """Name what is asked for, all of it at once."""
    schemes = [*(["session"] if _needs_session(name, view) else []), *(["csrf"] if method != "get" else [])]
    return [{scheme: [] for scheme in schemes}] if schemes else []


def _answer(said: Json, method: str, name: str) -> Json:
    if method == "post" and name in NEVER_200:
        return {}
    reference = said["responses"].get("200", {}).get("$ref", "").rpartition("/")[2]
    component = reference or (ANSWERED.get(name, "") if method == "post" else "")
    return {"200": specification.response(component)} if component else {}


def _failures(method: str, name: str, view: Any) -> Json:
    names = OF_ALL | (OF_A_BODY if method != "get" else {})
    if name == "reset-password":
        names |= {400: "HeadlessInvalid"}
    if _needs_session(name, view) or (
        name in ("login", "signup", "reset-password", "passkey-login") and method == "post"
    ):
        names |= {401: "HeadlessUnauthorized"}
    if name in CONFLICTS and method in ("get", "post"):
        names |= {409: "HeadlessConflict"}
    if (method, name) == ("get", "totp"):
        names |= {404: "HeadlessNoApp"}
    return {str(status): {"$ref": f"#/components/responses/{names[status]}"} for status in sorted(names)}
