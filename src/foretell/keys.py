"""The format of an API key: ``ft_<id>_<secret><checksum>``. No framework, no storage.

Scanners of leaked secrets find the prefix, and the checksum tells a key from a random text without asking anybody. The id is
public; the secret is shown once and kept as an HMAC only.
"""

import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from hashlib import sha256

PREFIX = "ft_"
ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
SECRET_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # noqa: S105  digits, not a secret
ID_CHARS = 10  # 50 bits: unique within a tenant, never secret
SECRET_CHARS = 32  # 190 bits
CHECKSUM_CHARS = 6  # CRC-32 in base 62
PATTERN = re.compile(
    rf"ft_(?P<id>[a-z2-7]{{{ID_CHARS}}})_(?P<secret>[0-9A-Za-z]{{{SECRET_CHARS}}})(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_CHARS}}})"
)


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: str

    def __str__(self) -> str:
        body = f"{PREFIX}{self.id}_{self.secret}"
        return body + checksum(body)

    def __repr__(self) -> str:
        return f"Key({self.id!r})"  # Security: a key in a traceback or a log does not tell its secret


def new_key() -> Key:
    return Key(
        id="".join(secrets.choice(ID_ALPHABET) for _ in range(ID_CHARS)),
        secret="".join(secrets.choice(SECRET_ALPHABET) for _ in range(SECRET_CHARS)),
    )


def parse_key(text: str) -> Key | None:
    """Return the key that `text` is, or None where its form or its checksum is wrong."""
    match = PATTERN.fullmatch(text)
    if match is None:
        return None
    key = Key(id=match["id"], secret=match["secret"])
    return key if hmac.compare_digest(str(key), text) else None


def parse_pair(key_id: str, secret: str) -> Key | None:
    """Return the key of HTTP Basic's ``<id>:<secret>``; the secret may be the bare one, or that with its checksum, or the whole key."""
    if secret.startswith(PREFIX):
        key = parse_key(secret)
        return key if key is not None and key.id == key_id else None
    if len(secret) == SECRET_CHARS + CHECKSUM_CHARS:
        return parse_key(f"{PREFIX}{key_id}_{secret}")
    return parse_key(str(Key(id=key_id, secret=secret)))


def digest(secret: str, *, pepper: bytes) -> str:
    """Return what is stored of a secret: HMAC-SHA256, in hexadecimal. The pepper is not in the database."""
    return hmac.new(pepper, secret.encode(), sha256).hexdigest()


def checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_CHARS):
        value, digit = divmod(value, len(SECRET_ALPHABET))
        digits = SECRET_ALPHABET[digit] + digits
    return digits
