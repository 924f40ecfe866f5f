"""What the caller named, and what makes two requests the same."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request

from foretell.core.idempotency.errors import InvalidKey

HEADER = "Idempotency-Key"
MAX_CHARS = 255


def offered_key(request: Request) -> str | None:
    """Return the key that came; the draft's quotes around it, and none, are the same.

    Raises
    ------
    InvalidKey
    """
    text = request.headers.get(HEADER)
    if text is None:
        return None
    key = text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
    if not 1 <= len(key) <= MAX_CHARS or not key.isascii() or not key.isprintable():
        raise InvalidKey(f"Expected 1 to {MAX_CHARS} printable ASCII characters, such as a UUID.")
    return key


def place_of(request: Request, key: str) -> str:
    """Return where the answer is kept: a key is its caller's own, and of one address."""
    user_id, key_id = str(request.user.pk), getattr(request.auth, "key_id", None) or ""
    return _digest(iter(part.encode() for part in (user_id, key_id, request.method or "", request.path_info, key)))


def fingerprint_of(request: Request) -> str:
    """Return what two equal requests have in common. The boundary of a multipart body is none of it: each sending has another."""
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    query = request.META.get("QUERY_STRING", "").encode()
    body = _parts(request) if media_type == "multipart/form-data" else iter([request.body])
    return _digest(iter([query, media_type.encode(), *body]))


def _parts(request: Request) -> Iterator[bytes]:
    data: Any = request.data
    for name in sorted(set(data)):
        for value in data.getlist(name):
            yield name.encode()
            yield from _file(value) if isinstance(value, UploadedFile) else [str(value).encode("utf-8", "replace")]


def _file(file: "UploadedFile[Any]") -> Iterator[bytes]:
    yield (file.name or "").encode("utf-8", "replace")
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    yield digest.digest()


def _digest(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))  # so that no two lists of parts read alike
        digest.update(part)
    return digest.hexdigest()
