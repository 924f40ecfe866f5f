"""What may stand in a row: a list of fields for each kind of target, and nothing that looks like a secret.

Security: an audit row is read by more people than the thing it is about, is exported, and cannot be deleted. So a field that nobody
listed here stops the change that would have written it; a test finds it before anybody else does.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from foretell import keys

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "user": frozenset({
        "username", "email", "role", "is_active", "is_person", "responsible", "email_verified_at", "pending_email",
    }),
    "session": frozenset({"username", "reason", "sessions"}),
    "key": frozenset({
        "name", "user", "scopes", "models", "expires_at", "revoked_at", "rolled_to", "rolled_from", "valid_until", "reason",
    }),
    "mfa": frozenset({"user", "type", "name"}),
    "identity": frozenset({"user", "provider"}),
    "identity_provider": frozenset({"name", "issuer", "client_id", "email_domains", "joins_as", "has_new_secret"}),
    "token": frozenset({"user", "family", "scopes", "reason", "revoked_at", "expires_at", "kid", "tokens"}),
    "invitation": frozenset({"email", "role", "expires_at", "state", "username"}),
    "grant": frozenset({"user", "model", "actions", "role"}),
    "model": frozenset({
        "description", "tags", "archived_at", "limit_scope", "log_payload", "redacted_inputs", "created_by", "four_eyes", "aliases",
        "versions", "restricted",
    }),
    "card": frozenset({"text"}),
    "version": frozenset({
        "number", "state", "reason_code", "reason", "sha256", "size_bytes", "runtime", "push_digest", "wanted_alias", "metrics",
        "tags", "description", "lineage", "parent", "author",
    }),
    "alias": frozenset({"version", "is_rollback", "requested_by", "approved_by", "state"}),
    "tenant": frozenset({
        "name", "domains", "state", "log_policy", "log_retention_days", "limits", "plan", "quotas", "settings", "owner", "digest",
        "position", "schema", "sha256", "size_bytes", "reason", "until", "delete_after",
    }),
    "plan": frozenset({"limits"}),
    "domain": frozenset({"tenant", "is_primary"}),
    "log": frozenset({"policy", "retention_days"}),
    "audit": frozenset({"position", "digest", "rows", "until"}),
    "operator": frozenset({"operator", "expires_at", "state"}),
}  # fmt: skip
#: Of an action, whatever it was tried on.
FIELDS_OF_ACTION: Final[Mapping[str, frozenset[str]]] = {
    "permission.denied": frozenset({"action", "method", "route", "code", "not_written"}),
}

SECRET = "[secret]"  # noqa: S105  what stands in its place
_SECRETS: Final = re.compile(
    "|".join((
        keys.PATTERN.pattern.replace("?P<id>", "").replace("?P<secret>", "").replace("?P<checksum>", ""),
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # a JSON Web Token
        r"\b(?:argon2|argon2id|argon2i|pbkdf2_sha\d+|bcrypt(?:_sha\d+)?|scrypt|md5|sha1)\$\S+",  # a hashed password
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    ))
)  # fmt: skip


class UnlistedField(ValueError):
    """A row that would hold what was not foreseen: list it in `audit.fields`, if it is no secret."""

    def __init__(self, action: str, kind: str, names: list[str]) -> None:
        super().__init__(
            f"{action} would write {', '.join(names)} of a {kind!r} into the audit. Expected only fields that audit/fields.py lists."
        )


def check_fields(action: str, kind: str, values: Mapping[str, Any] | None) -> None:
    """Raise UnlistedField for a field that may not be in a row about this kind of target."""
    allowed = FIELDS_OF_ACTION.get(action) or FIELDS.get(kind, frozenset())
    unlisted = sorted(set(values or ()) - allowed)
    if unlisted:
        raise UnlistedField(action, kind, unlisted)


def without_secrets(text: str) -> str:
    """Return the text with whatever looks like a credential taken out: people paste them into descriptions."""
    return _SECRETS.sub(SECRET, text)
