"""People, keys and invitations as tables, for CSV, Excel and Parquet. There are thousands of them at most: keys are held in memory."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from foretell.accounts.flows.joining import sign_up_mode
from foretell.accounts.models import APIKey, Invitation, SignUp, User
from foretell.accounts.serializers import kind_of, shown_state, state_of
from foretell.core.exports import Column, Kind, Table, for_tenant
from foretell.core.tenancy import current_tenant

PART = 2_000

USERS = (
    Column("id"), Column("username"), Column("email"), Column("role"), Column("kind"), Column("is_active"), Column("responsible"),
    Column("last_login", Kind.TIME), Column("created_at", Kind.TIME),
)  # fmt: skip
KEYS = (
    Column("id"), Column("name"), Column("user"), Column("scopes", Kind.JSON), Column("models", Kind.JSON), Column("state"),
    Column("last_used_at", Kind.TIME), Column("expires_at", Kind.TIME), Column("revoked_at", Kind.TIME), Column("rolled_to"),
    Column("created_by"), Column("created_at", Kind.TIME),
)  # fmt: skip
INVITATIONS = (
    Column("id"), Column("email"), Column("role"), Column("state"), Column("invited_by"), Column("expires_at", Kind.TIME),
    Column("accepted_at", Kind.TIME), Column("revoked_at", Kind.TIME), Column("created_at", Kind.TIME),
)  # fmt: skip


def users_table(found: QuerySet[User]) -> Table:
    return _table("users", USERS, found, _user_row)


def keys_table(found: QuerySet[APIKey]) -> Table:
    return _table("keys", KEYS, found, _key_row)


def invitations_table(found: QuerySet[Invitation]) -> Table:
    return _table("invitations", INVITATIONS, found, partial(_invitation_row, mode=sign_up_mode()))


def _table(name: str, columns: Sequence[Column], found: QuerySet[Any], row: Callable[[Any], Sequence[Any]]) -> Table:
    return Table(name, columns, for_tenant(current_tenant(), _parts(found, row)))


def _parts(found: QuerySet[Any], row: Callable[[Any], Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        wanted = ids[start : start + PART]
        rows = found.order_by().in_bulk(wanted)
        yield [row(rows[id]) for id in wanted if id in rows]


def _user_row(user: User) -> Sequence[Any]:
    return (
        str(user.pk), user.username, user.email, user.role, kind_of(user), str(user.is_active).lower(), _name(user.responsible),
        user.last_login, user.created_at,
    )  # fmt: skip


def _key_row(key: APIKey) -> Sequence[Any]:
    return (
        key.key_id, key.name, key.user.username, key.scopes, key.model_names, state_of(key, timezone.now()), key.last_used_at,
        key.expires_at, key.revoked_at, key.rolled_to_id, _name(key.created_by), key.created_at,
    )  # fmt: skip


def _invitation_row(invitation: Invitation, *, mode: SignUp) -> Sequence[Any]:
    state = shown_state(invitation, timezone.now(), mode=mode)
    return (
        str(invitation.pk), invitation.email, invitation.role, state, _name(invitation.invited_by), invitation.expires_at,
        invitation.accepted_at, invitation.revoked_at, invitation.created_at,
    )  # fmt: skip


def _name(user: User | None) -> str | None:
    return user.username if user is not None else None
