"""Answers are kept sealed: one may hold a secret that is shown once, such as a new API key.

Security: the key of each seal is made of the caller's own Idempotency-Key, which is not kept, and of SECRET_KEY: neither the
database alone opens it, nor both without the caller.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from foretell.core.tenancy import current_tenant

KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Content-Language", "Allow", "Vary")


class Answer(msgspec.Struct, frozen=True):
    headers: dict[str, str]
    body: bytes


def sealed(headers: Mapping[str, str], body: bytes, *, place: str, key: str) -> bytes:
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    return _fernet(place, key).encrypt(msgspec.msgpack.encode(Answer(kept, body)))


def opened(content: bytes, *, place: str, key: str) -> Answer | None:
    """Return the answer; None where it cannot be opened any more, since SECRET_KEY was changed meanwhile."""
    try:
        plain = _fernet(place, key).decrypt(content)
    except InvalidToken:
        return None
    return msgspec.msgpack.decode(plain, type=Answer)


def _fernet(place: str, key: str) -> Fernet:
    secret = sha256(b"foretell idempotency\0" + settings.SECRET_KEY.encode()).digest()
    message = f"{current_tenant().id}\0{place}\0{key}".encode()
    return Fernet(base64.urlsafe_b64encode(hmac.new(secret, message, sha256).digest()))
