"""A tenant's rows as they were read: what an entry of the catalogue is made of, and what a snapshot of it keeps."""

from typing import Any

import msgspec


class PersonRow(msgspec.Struct, frozen=True, array_like=True):
    """Somebody active; grants : by model, what they may do with it beside their role."""

    id: str
    username: str
    role: str
    token_generation: int = 0
    grants: dict[str, list[str]] = {}


class KeyRow(msgspec.Struct, frozen=True, array_like=True):
    """A key that was neither revoked nor expired, of somebody active."""

    id: str
    digest: str
    user_id: str
    scopes: list[str]
    model_names: list[str] | None
    expires_at: float | None


class SigningKeyRow(msgspec.Struct, frozen=True, array_like=True):
    """The public half of a key that tokens are verified with, in base64url. Security: no private key leaves its table."""

    kid: str
    public_key: str
    verifies_until: float | None


class VersionRow(msgspec.Struct, frozen=True, array_like=True):
    pk: int
    number: int
    state: str
    reason: str
    seal: str
    size_bytes: int
    runtime: str


class ModelRow(msgspec.Struct, frozen=True, array_like=True):
    """A model that is not archived."""

    name: str
    limit_scope: str
    log_payload: str
    redacted_inputs: list[str]
    versions: list[VersionRow]
    aliases: list[tuple[str, int]]


class TenantRows(msgspec.Struct, frozen=True, array_like=True):
    """All that the catalogue knows of one tenant, of one moment.

    domains : the host names that lead to it, beside ``<name>.<base domain>``.
    limits : its plan's and its own, as `tenants.limits` keeps them.
    origins : the sites whose pages may read what is answered (CORS).
    restricted : names of models that are there only for who was granted something on them.
    ended_families : of tokens, those that were ended while an access token of theirs could still be valid.
    """

    id: str
    name: str
    schema_name: str
    is_suspended: bool
    log_is_required: bool
    limits: dict[str, Any]
    domains: list[str]
    people: list[PersonRow]
    keys: list[KeyRow]
    models: list[ModelRow]
    signing_keys: list[SigningKeyRow] = []
    ended_families: list[str] = []
    restricted: list[str] = []
    origins: list[str] = []


#: Which rows with which fields: what another release packed may lack some of them.
SHAPE = repr([
    (row.__name__, row.__struct_fields__)
    for row in (TenantRows, PersonRow, KeyRow, SigningKeyRow, ModelRow, VersionRow)
])  # fmt: skip

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TenantRows)


def packed(rows: TenantRows) -> bytes:
    return _encoder.encode(rows)


def unpacked(data: bytes) -> TenantRows:
    """Return what `packed` packed; raises msgspec.MsgspecError for anything else."""
    return _decoder.decode(data)
