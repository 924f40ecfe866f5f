"""From rows to what the lane reads: who may do what is asked of `accounts.permissions`, and what it takes from of `accounts.limiting`."""

from collections.abc import Iterable
from functools import lru_cache
from sys import intern

from foretell.accounts.limiting import claims_of
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, is_allowed
from foretell.accounts.permissions import Principal as Person
from foretell.gateway.rows import KeyRow, ModelRow, PersonRow, TenantRows, VersionRow
from foretell.registry.models import State
from foretell.serving.catalogue import Key, Model, Principal, Tenant, Version
from foretell.tenants.limits import quota_of


def entry_of(rows: TenantRows) -> Tenant:
    """Return the catalogue's entry for a tenant."""
    users = {row.id: user_of(row) for row in rows.people}
    return Tenant(
        id=rows.id,
        name=rows.name,
        schema_name=rows.schema_name,
        is_suspended=rows.is_suspended,
        keys={row.id: _key(rows, row, users[row.user_id]) for row in rows.keys if row.user_id in users},
        people={id: principal_of(Person(user=user), tenant=rows) for id, user in users.items()},
        models={intern(row.name): _model(row) for row in rows.models},
        log_is_required=rows.log_is_required,
        requests_per_month=quota_of(rows.limits, "requests_per_month"),
        rows_per_month=quota_of(rows.limits, "rows_per_month"),
    )


def user_of(row: PersonRow) -> User:
    """Return somebody active as `accounts.permissions` wants to see them; nothing is read or saved."""
    return User(id=row.id, username=row.username, role=row.role, is_active=True)


def principal_of(person: Person, *, tenant: TenantRows) -> Principal:
    """Say of a person, narrowed by a key, what the lane asks: decided where it is decided for every face."""
    return Principal(
        user_id=intern(str(person.user.pk)),
        username=intern(person.user.username),
        key_id=person.key_id,
        may_predict=is_allowed(person, Action.PREDICT),
        may_read=is_allowed(person, Action.READ),
        models=person.models,
        claims=claims_of(person, tenant=tenant),
    )


def _key(rows: TenantRows, row: KeyRow, user: User) -> Key:
    person = Person(
        user=user,
        scopes=frozenset(row.scopes),
        models=None if row.model_names is None else frozenset(row.model_names),
        key_id=row.id,
    )
    return Key(digest=row.digest, principal=principal_of(person, tenant=rows), expires_at=row.expires_at)


def _model(row: ModelRow) -> Model:
    """Optimization: an installation has many models that nobody asks; what their entries share is one object."""
    return Model(
        name=intern(row.name),
        versions={version.number: _version(version) for version in row.versions},
        aliases={intern(name): number for name, number in row.aliases},
        limit_scope=intern(row.limit_scope),
        log_payload=intern(row.log_payload),
        redacted_inputs=_shared(row.redacted_inputs),
    )


def _version(row: VersionRow) -> Version:
    return Version(
        pk=row.pk, number=row.number, is_ready=row.state == State.READY, seal=row.seal, size_bytes=row.size_bytes,
        runtime=intern(row.runtime), state=intern(row.state), reason=row.reason,
    )  # fmt: skip


def _shared(names: Iterable[str]) -> tuple[str, ...]:
    return _same(tuple(names))


@lru_cache(maxsize=1_024)
def _same(names: tuple[str, ...]) -> tuple[str, ...]:
    return names
