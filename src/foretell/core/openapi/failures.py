"""How operations fail: each status with its problem (RFC 9457), as one component that operations point at."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from foretell.problems import CONTENT_TYPE

Json = dict[str, Any]

PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` is for programs, `detail` for people; `request_id` finds it in the server's log.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
}
FAULT: Json = {
    "type": "object",
    "description": "One thing that is wrong with a request; `attr` is its path within the body or the query, null: the whole.",
    "required": ["attr", "code", "detail"],
    "properties": {"attr": {"type": ["string", "null"]}, "code": {"type": "string"}, "detail": {"type": "string"}},
}
# By status: the code that is most often in it, and when it comes.
FAILURES: dict[int, tuple[str, str]] = {
    400: ("invalid", "Something in the request is wrong; `errors` names every fault at once."),
    401: ("not_authenticated", "The credential is missing, or not known."),
    403: ("permission_denied", "Your role, the scopes of your key, or the tenant's state do not include this."),
    404: ("not_found", "Nothing is here, or it is not yours."),
    406: ("not_acceptable", "There is no answer in the format that was asked for."),
    409: ("conflict", "As things stand, this cannot be done; `detail` says why."),
    412: ("precondition_failed", "It was changed since you read it."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body is of a kind that is not read here."),
    422: ("idempotency_key_reused", "This Idempotency-Key came with another body before."),
    428: ("precondition_required", "This replaces what is there, and needs If-Match."),
    429: ("throttled", "Too many requests, or a quota is used up; see Retry-After."),
    500: ("error", "Something broke here. `request_id` finds it in our log."),
    503: ("unavailable", "Not at this moment; see Retry-After."),
}
ALWAYS = (403, 404, 406, 429, 500, 503)
WITH_BODY = (400, 413, 415)
OF_METHOD = {"post": (409, 422), "put": (409,), "patch": (409,), "delete": (409,)}
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
RETRY_AFTER: Json = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}


def add_failures(result: Json, **_: Any) -> Json:
    """Point every operation at how it may fail; a drf-spectacular post-processing hook."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(Problem=PROBLEM, Fault=FAULT)
    components["responses"] = {_name(status): _response(status) for status in FAILURES}
    for method, operation in operations(result):
        responses = operation["responses"]
        for status in _statuses(method, operation):
            responses[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}
        if any(one["name"] == "If-None-Match" for one in operation.get("parameters", [])):
            responses["304"] = {"description": "It is still what you have."}
        operation["responses"] = dict(sorted(responses.items()))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return result


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path in document["paths"].values():
        yield from ((method, path[method]) for method in METHODS if method in path)


def _statuses(method: str, operation: Json) -> set[int]:
    parameters = {(item["in"], item["name"]): item for item in operation.get("parameters", [])}
    statuses = {*ALWAYS, *OF_METHOD.get(method, ())}
    if operation.get("security"):
        statuses.add(401)
    if operation.get("requestBody"):
        statuses.update(WITH_BODY)
    if any(place in ("query", "header") for place, _ in parameters):
        statuses.add(400)
    if (condition := parameters.get(("header", "If-Match"))) is not None:
        statuses.update((412, 428) if "428" in condition["description"] else (412,))
    stated = {int(status) for status in operation["responses"] if status.isdecimal()}
    return statuses | {status for status in stated if status >= HTTPStatus.BAD_REQUEST}


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in FAILURES[status][0].split("_"))


def _response(status: int) -> Json:
    code, text = FAILURES[status]
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {CONTENT_TYPE: {"schema": schema, "examples": {code: {"value": _example(status)}}}}
    headers = {"headers": RETRY_AFTER} if status in (429, 503) else {}
    return {"description": text, **headers, "content": content}


def _example(status: int) -> Json:
    code, text = FAILURES[status]
    faults = [{"attr": "name", "code": "required", "detail": "This field is required."}] if status == 400 else []
    detail = "name: This field is required." if faults else text.replace("`", "")
    return {
        "type": f"urn:foretell:problem:{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code,
        "request_id": "01a1fd195c377fea93a3387aa748e341", "errors": faults,
    }  # fmt: skip
