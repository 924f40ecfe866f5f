"""What a row says, in one form that never changes: the same on the way in and when it is read back, so that a digest can hold it."""

import hmac
import json
import math
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from typing import Any, Final

from django.conf import settings

from foretell.audit.fields import without_secrets

MAX_TEXT_CHARS: Final = 2_000
GENESIS: Final = "0" * 64  # the digest before the first row

#: The columns that a digest holds, by name; `position` and what else the chain adds is not content.
CONTENT: Final = (
    "id", "at", "action", "target_kind", "target_id", "target_name", "before", "after", "actor_id", "actor_name", "credential",
    "credential_id", "face", "address", "request_id",
)  # fmt: skip


def plain(value: Any) -> Any:
    """Return a value as JSON has it, as PostgreSQL gives it back, without secrets, and not too long."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {plain_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain_text(value)


def plain_text(value: object, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Return text that PostgreSQL can hold; of one that is too long the beginning, and the digest of the whole."""
    text = str(value).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    kept = without_secrets(text)
    if len(kept) <= max_chars:
        return kept
    note = f"… ({len(text)} characters, SHA-256 {sha256(text.encode()).hexdigest()})"
    return kept[: max(max_chars - len(note), 0)] + note[:max_chars]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def content_digest(row: Any) -> str:
    """Return SHA-256 over what the row says; anybody can compute it from an export."""
    said = {name: _column(getattr(row, name)) for name in CONTENT}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def seal(digest: str, *, chain: str) -> str:
    """Return the installation's signature over a row of one chain: whoever writes to the database alone cannot make one."""
    key = sha256(b"foretell audit\0" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, f"{chain}\n{digest}".encode(), sha256).hexdigest()


def link_digest(*, position: int, previous: str, content: str, seal: str) -> str:
    """Return what the next row holds of this one; `foretell_audit_link` computes the same in the database."""
    return sha256(f"{position}\n{previous}\n{content}\n{seal}".encode()).hexdigest()


def _column(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return value if value is None or isinstance(value, Mapping) else str(value)


def _number(value: float) -> int | float | str:
    """Return a number that comes back from `jsonb` as it went in: 1e22 and 1.0 would come back as whole ones."""
    if isinstance(value, int):
        return int(value) if abs(value) < 10**100 else str(value)[:MAX_TEXT_CHARS]
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else float(value)
