"""Requests as plain values: what is to be sent, told without sending it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from foretell.client._errors import InvalidArgument
from foretell.client._multipart import Multipart
from foretell.client._rows import as_json, request_body

API = "/api/v1"
_TRAVELS = re.compile(r"[^/\\@?#%\x00-\x1f\x7f]+")
Progress = Callable[[int, int], None]  #: bytes sent, bytes in all
File = tuple[str, bytes]  #: name and content


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, below the tenant's root.

    is_repeatable : asking twice is as good as asking once, so it may be sent again when the answer did not come.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Multipart | None = None
    is_repeatable: bool = False
    progress: Progress | None = None

    def chunks(self) -> Iterator[bytes]:
        """Yield a multipart body piece by piece, telling `progress` what has gone."""
        assert isinstance(self.content, Multipart)  # noqa: S101  only asked for one
        sent = 0
        for chunk in self.content.chunks():
            yield chunk
            sent += len(chunk)
            if self.progress is not None:
                self.progress(sent, self.content.size)


def get(path: str, **params: str) -> Request:
    return Request(method="GET", path=path, params=params, is_repeatable=True)


def me() -> Request:
    return get(f"{API}/me/")


def models(*, search: str | None = None) -> Request:
    return get(f"{API}/models/", **({"search": search} if search else {}))


def model(name: str) -> Request:
    return get(_model_path(name))


def versions(name: str) -> Request:
    return get(f"{_model_path(name)}versions/")


def version(name: str, number: int) -> Request:
    return get(f"{_model_path(name)}versions/{_number(number)}/")


def logs(name: str | None, **filters: datetime | int | str | None) -> Request:
    wanted = {"model": name, **filters}
    return get(f"{API}/predictions/", **{key: _as_query(value) for key, value in wanted.items() if value is not None})


def logged(id: str) -> Request:
    return get(f"{API}/predictions/{_segment(id, 'prediction id')}/")


def page(url_query: Mapping[str, str], of: Request) -> Request:
    """Return the request for another page of the same list."""
    return Request(method="GET", path=of.path, params=url_query, is_repeatable=True)


def alias(name: str, alias: str) -> Request:
    return get(_alias_path(name, alias))


def move_alias(
    name: str, alias: str, number: int, *, if_match: str | None, allow_signature_change: bool = False
) -> Request:
    body: dict[str, Any] = {"version": _number(number)}
    if allow_signature_change:
        body["allow_signature_change"] = True
    headers = {"If-Match": if_match} if if_match is not None else {}
    return _with_json("PUT", _alias_path(name, alias), body, headers)


def rollback(name: str, alias: str) -> Request:
    return _with_json("POST", f"{_alias_path(name, alias)}rollback/", {})


def promotions(*, state: str | None) -> Request:
    return get(f"{API}/promotions/", **({"state": state} if state else {}))


def decide(name: str, id: str, verb: str, comment: str) -> Request:
    path = f"{_model_path(name)}promotions/{_segment(id, 'promotion id')}/{verb}/"
    return _with_json("POST", path, {"comment": comment})


def push(
    name: str,
    files: Sequence[File],
    *,
    sample: bytes | None,
    metadata: Mapping[str, Any],
    progress: Progress | None,
) -> Request:
    if not files:
        raise InvalidArgument("A push needs at least one file.")
    body = Multipart.of(metadata=metadata, artifacts=files, sample=sample)
    headers = {"Content-Type": body.content_type, "Content-Length": str(body.size)}
    path = f"{_model_path(name)}versions/"
    return Request(method="POST", path=path, headers=headers, content=body, progress=progress)


def predict(name: str, rows: Any, *, alias: str | None, version: int | None) -> Request:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    path = _predict_path(name, alias, version)
    return Request(method="POST", path=path, headers=headers, content=request_body(rows), is_repeatable=True)


def predict_csv(
    name: str, table: bytes, *, alias: str | None, version: int | None, accept: str = "text/csv"
) -> Request:
    headers = {"Content-Type": "text/csv; charset=utf-8", "Accept": accept}
    path = _predict_path(name, alias, version)
    return Request(method="POST", path=path, headers=headers, content=table, is_repeatable=True)


def _with_json(method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    content_type = {"Content-Type": "application/json"}
    return Request(method=method, path=path, headers={**content_type, **(headers or {})}, content=as_json(body))


def _predict_path(name: str, alias: str | None, version: int | None) -> str:
    if alias is not None and version is not None:
        raise InvalidArgument("Name an alias or a version, not both.")
    if version is not None:
        return f"{_model_path(name)}versions/{_number(version)}/predict/"
    place = _segment(name, "model name") + ("" if alias is None else f"@{_segment(alias, 'alias')}")
    return f"{API}/models/{place}/predict/"


def _model_path(name: str) -> str:
    return f"{API}/models/{_segment(name, 'model name')}/"


def _alias_path(name: str, alias: str) -> str:
    return f"{_model_path(name)}aliases/{_segment(alias, 'alias')}/"


def _segment(text: Any, kind: str) -> str:
    """Quote a name for its place in a path.

    Security: what would lead to another route, however it is quoted, never leaves.
    """
    if not isinstance(text, str) or text in ("", ".", "..") or not _TRAVELS.fullmatch(text):
        raise InvalidArgument(
            f"{text!r:.120} is no {kind}. It is made of letters, digits, '_', '.' and '-', and begins with a letter or digit; such as 'iris'."
        )
    return quote(text, safe="", errors="replace")


def _as_query(value: datetime | int | str) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _number(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidArgument(f"{number!r} is no version; versions are numbered from 1.")
    return number
