"""Read replies: a status, headers and bytes become a typed value or a named error. Sends nothing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from foretell.client import _errors as errors
from foretell.client._resources import (
    Alias,
    InputWarning,
    LoggedPrediction,
    Model,
    Person,
    Prediction,
    Predictions,
    Promotion,
    Pushed,
    Reason,
    Version,
)

MAX_FAULTS_SHOWN = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


_ERROR_OF_STATUS: Mapping[int, type[errors.RequestRefused]] = {
    HTTPStatus.UNAUTHORIZED: errors.NotAuthenticated,
    HTTPStatus.FORBIDDEN: errors.PermissionDenied,
    HTTPStatus.NOT_FOUND: errors.NotFound,
    HTTPStatus.CONFLICT: errors.Conflict,
    HTTPStatus.PRECONDITION_FAILED: errors.Conflict,
    HTTPStatus.PRECONDITION_REQUIRED: errors.Conflict,
    HTTPStatus.TOO_MANY_REQUESTS: errors.TooManyRequests,
    HTTPStatus.BAD_GATEWAY: errors.ServerUnavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: errors.ServerUnavailable,
    HTTPStatus.GATEWAY_TIMEOUT: errors.ServerUnavailable,
}


def checked(reply: Reply) -> Reply:
    """Return the reply, if it says yes.

    Raises
    ------
    RequestRefused
        the subclass for its status, in the server's own words.
    UnexpectedReply
        where it is a redirect, or no reply of Foretell's.
    """
    if reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return reply
    if reply.status < HTTPStatus.BAD_REQUEST:
        place = reply.headers.get("location", "elsewhere")
        raise errors.UnexpectedReply(f"The server sends us on to {place}. Give the client the address where it is.")
    raise _refusal(reply)


def retry_after_s(reply: Reply) -> float | None:
    """Return the seconds that `Retry-After` asks for, where it does so in seconds."""
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def person(reply: Reply) -> Person:
    data = _object(reply)
    fields = {name: _text(data, name) for name in ("username", "email", "role", "tenant")}
    return Person(**fields, raw=data)


def model(reply: Reply) -> Model:
    return _model(_object(reply))


def version(reply: Reply) -> Version:
    return _version(_object(reply))


def pushed(reply: Reply) -> Pushed:
    return Pushed(version(reply), is_new=reply.status == HTTPStatus.CREATED)


def alias(reply: Reply) -> Alias:
    data = _object(reply)
    is_waiting = reply.status == HTTPStatus.ACCEPTED
    return Alias(
        model=_text(data, "model"), alias=_text(data, "alias"), version=_whole(data, "version"), is_waiting=is_waiting, raw=data
    )  # fmt: skip


def promotion(reply: Reply) -> Promotion:
    return _promotion(_object(reply))


def promotions_page(reply: Reply) -> tuple[list[Promotion], Mapping[str, str] | None]:
    return _page(reply, _promotion)


def models_page(reply: Reply) -> tuple[list[Model], Mapping[str, str] | None]:
    return _page(reply, _model)


def versions_page(reply: Reply) -> tuple[list[Version], Mapping[str, str] | None]:
    return _page(reply, _version)


def logged(reply: Reply) -> LoggedPrediction:
    return _logged(_object(reply))


def logs_page(reply: Reply) -> tuple[list[LoggedPrediction], Mapping[str, str] | None]:
    return _page(reply, _logged)


def prediction(reply: Reply) -> Prediction | Predictions:
    data = _object(reply)
    warnings = tuple(_warning(item) for item in data.get("warnings") or ())
    common: dict[str, Any] = {
        "model": _text(data, "model"),
        "version": _whole(data, "version"),
        "id": _text(data, "id"),
        "warnings": warnings,
        "raw": data,
    }
    probabilities = data.get("probabilities")
    if "predictions" not in data:
        return Prediction(prediction=_value(data, "prediction"), probabilities=probabilities, **common)
    return Predictions(
        predictions=tuple(data["predictions"]),
        probabilities=None if probabilities is None else tuple(probabilities),
        **common,
    )


def predictions(reply: Reply) -> Predictions:
    """Read answers to a table; a table of one row is still a table."""
    found = prediction(reply)
    if isinstance(found, Predictions):
        return found
    return Predictions(
        predictions=(found.prediction,),
        probabilities=None if found.probabilities is None else (found.probabilities,),
        model=found.model,
        version=found.version,
        id=found.id,
        warnings=found.warnings,
        raw=found.raw,
    )


def table(reply: Reply) -> bytes:
    return reply.content


def _page(reply: Reply, read: Callable[[Mapping[str, Any]], T]) -> tuple[list[T], Mapping[str, str] | None]:
    """Return what is on the page, and the query of the next one.

    Security: only the query of the link is used, so that no answer can send our key to another host.
    """
    data = _object(reply)
    following = data.get("next")
    query = dict(parse_qsl(urlsplit(following).query)) if following else None
    return [read(item) for item in _value(data, "results")], query


def _model(data: Mapping[str, Any]) -> Model:
    return Model(
        name=_text(data, "name"),
        description=data.get("description") or "",
        tags=data.get("tags") or {},
        task=data.get("task"),
        aliases=data.get("aliases") or {},
        latest_version=data.get("latest_version"),
        created_at=_moment(data, "created_at"),
        updated_at=_moment(data, "updated_at"),
        url=data.get("url") or "",
        signature=data.get("signature"),
        raw=data,
    )


def _version(data: Mapping[str, Any]) -> Version:
    reason = data.get("reason")
    return Version(
        model=_text(data, "model"),
        version=_whole(data, "version"),
        state=_text(data, "state"),
        reason=Reason(str(reason.get("code", "")), str(reason.get("message", ""))) if reason else None,
        runtime=data.get("runtime") or None,
        runtime_reason=data.get("runtime_reason") or "",
        task=data.get("task"),
        sha256=data.get("sha256") or "",
        size_bytes=data.get("size_bytes") or 0,
        signature=data.get("signature"),
        parity=data.get("parity"),
        example=data.get("example"),
        metrics=data.get("metrics") or {},
        tags=data.get("tags") or {},
        description=data.get("description") or "",
        lineage=data.get("lineage") or {},
        aliases=tuple(data.get("aliases") or ()),
        created_by=data.get("created_by") or "",
        created_at=_moment(data, "created_at"),
        ready_at=_moment(data, "ready_at") if data.get("ready_at") else None,
        url=data.get("url") or "",
        raw=data,
    )


def _promotion(data: Mapping[str, Any]) -> Promotion:
    return Promotion(
        id=_text(data, "id"), model=_text(data, "model"), alias=_text(data, "alias"), version=_whole(data, "version"),
        from_version=data.get("from_version"), state=_text(data, "state"), requested_by=_text(data, "requested_by"),
        requested_at=_moment(data, "requested_at"), decided_by=data.get("decided_by"), comment=data.get("comment") or "", raw=data,
    )  # fmt: skip


def _logged(data: Mapping[str, Any]) -> LoggedPrediction:
    inputs = data.get("inputs")
    return LoggedPrediction(
        id=_text(data, "id"),
        at=_moment(data, "at"),
        model=_text(data, "model"),
        version=_whole(data, "version"),
        face=_text(data, "face"),
        user=data.get("user"),
        key=data.get("key"),
        request_id=data.get("request_id") or "",
        n_rows=_whole(data, "n_rows"),
        duration_ms=float(_value(data, "duration_ms")),
        n_warnings=data.get("n_warnings") or 0,
        inputs=None if inputs is None else tuple(inputs),
        outputs=data.get("outputs"),
        raw=data,
    )


def _warning(data: Mapping[str, Any]) -> InputWarning:
    return InputWarning(*_texts(data, "attr", "code", "detail"))


def _texts(data: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(str(data.get(name) or "") for name in names)


def _refusal(reply: Reply) -> errors.RequestRefused:
    problem = _problem(reply)
    is_ours = reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
    kind = _ERROR_OF_STATUS.get(reply.status, errors.InvalidRequest if is_ours else errors.ServerBroken)
    faults = _faults(problem)
    request_id = str(problem.get("request_id") or reply.headers.get("x-request-id", ""))
    return kind(
        _in_words(problem, reply.status, faults, "" if is_ours else request_id),
        status=reply.status,
        code=problem.get("code"),
        errors=faults,
        request_id=request_id,
        retry_after_s=retry_after_s(reply),
    )


def _in_words(problem: Mapping[str, Any], status: int, faults: tuple[errors.Fault, ...], request_id: str) -> str:
    """Return the server's sentence; where several things are wrong, each on a line of its own."""
    words = str(problem.get("detail") or f"The server answers {status} without saying why.")
    if len(faults) > 1:
        lines = [f"  {fault.attr}: {fault.detail}" if fault.attr else f"  {fault.detail}" for fault in faults]
        more = [f"  … and {len(lines) - MAX_FAULTS_SHOWN} more"] if len(lines) > MAX_FAULTS_SHOWN else []
        words = "\n".join([f"{len(faults)} things are wrong:", *lines[:MAX_FAULTS_SHOWN], *more])
    return f"{words} (request {request_id})" if request_id else words


def _faults(problem: Mapping[str, Any]) -> tuple[errors.Fault, ...]:
    listed = problem.get("errors")
    if not isinstance(listed, list):
        return ()
    return tuple(errors.Fault(*_texts(fault, "attr", "code", "detail")) for fault in listed if isinstance(fault, dict))


def _problem(reply: Reply) -> dict[str, Any]:
    """Return the problem that the reply states; something in between, such as a proxy, may state none."""
    try:
        data = json.loads(reply.content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _object(reply: Reply) -> dict[str, Any]:
    try:
        data = json.loads(reply.content)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        found = reply.headers.get("content-type", "no content type")
        raise errors.UnexpectedReply(
            f"Something answered {reply.status} with {found}, which is not Foretell's JSON. Is the address right?"
        )
    return data


def _value(data: Mapping[str, Any], name: str) -> Any:
    if name not in data:
        raise errors.UnexpectedReply(
            f"The reply has no {name!r}. Is the address right, and the server as new as this client?"
        )
    return data[name]


def _text(data: Mapping[str, Any], name: str) -> str:
    return str(_value(data, name))


def _whole(data: Mapping[str, Any], name: str) -> int:
    return int(_value(data, name))


def _moment(data: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(_text(data, name))
