"""From rows to what the lane reads: who may do what is asked of `accounts.permissions`, and what it takes from of `accounts.limiting`."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from sys import intern

from foretell.accounts.limiting import claims_of
from foretell.accounts.model_access import access_of
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, is_allowed, model_reach
from foretell.accounts.permissions import Principal as Person
from foretell.gateway.rows import KeyRow, ModelRow, PersonRow, TenantRows, VersionRow
from foretell.registry.models import State
from foretell.serving.catalogue import Key, Model, Principal, Tenant, Version
from foretell.tenants.limits import quota_of


def entry_of(rows: TenantRows) -> Tenant:
    """Return the catalogue's entry for a tenant."""
    people = {row.id: person_of(row, tenant=rows) for row in rows.people}
    names = frozenset(row.name for row in rows.models)
    return Tenant(
        id=rows.id,
        name=rows.name,
        schema_name=rows.schema_name,
        is_suspended=rows.is_suspended,
        keys={row.id: _key(rows, row, people[row.user_id], names) for row in rows.keys if row.user_id in people},
        people={id: principal_of(person, tenant=rows, names=names) for id, person in people.items()},
        models={intern(row.name): _model(row) for row in rows.models},
        log_is_required=rows.log_is_required,
        requests_per_month=quota_of(rows.limits, "requests_per_month"),
        rows_per_month=quota_of(rows.limits, "rows_per_month"),
        origins=frozenset(rows.origins),
    )


def person_of(row: PersonRow, *, tenant: TenantRows) -> Person:
    """Return somebody active as `accounts.permissions` wants to see them; nothing is read or saved."""
    user = User(id=row.id, username=row.username, role=row.role, is_active=True)
    return Person(user=user, known_access=access_of(frozenset(tenant.restricted), row.grants))


def newcomer(user: User, *, tenant: TenantRows) -> Person:
    """Return somebody who came so lately that the rows do not have them: nothing was granted to them yet."""
    return Person(user=user, known_access=access_of(frozenset(tenant.restricted), {}))


def principal_of(person: Person, *, tenant: TenantRows, names: frozenset[str] | None = None) -> Principal:
    """Say of a person, narrowed by a key, what the lane asks: decided where it is decided for every face.

    names : of the tenant's models, where they are at hand.
    """
    return Principal(
        user_id=intern(str(person.user.pk)),
        username=intern(person.user.username),
        key_id=person.key_id,
        may_predict=is_allowed(person, Action.PREDICT),
        may_read=is_allowed(person, Action.READ),
        models=_visible(person, tenant, names),
        not_predicting=_not_predicting(person),
        claims=claims_of(person, tenant=tenant),
    )


def _visible(person: Person, tenant: TenantRows, names: frozenset[str] | None) -> frozenset[str] | None:
    """Return the names of the models that are there for a person; None: all, where nothing narrows them."""
    reach = model_reach(person)
    if not reach.hidden:
        return reach.only
    if reach.only is not None:
        return reach.only - reach.hidden
    return _open(frozenset(row.name for row in tenant.models) if names is None else names, reach.hidden)


@lru_cache(maxsize=256)
def _open(names: frozenset[str], hidden: frozenset[str]) -> frozenset[str]:
    """Optimization: who was granted nothing sees the same models as the next one, in one object."""
    return names - hidden


def _not_predicting(person: Person) -> frozenset[str]:
    """Return the models that were granted to a person for something else alone, such as to push to."""
    granted = person.access.restricted.intersection(person.access.grants)
    return frozenset(name for name in granted if not is_allowed(person, Action.PREDICT, model=name))


def _key(rows: TenantRows, row: KeyRow, owner: Person, names: frozenset[str]) -> Key:
    person = replace(
        owner,
        scopes=frozenset(row.scopes),
        models=None if row.model_names is None else frozenset(row.model_names),
        key_id=row.id,
    )
    return Key(digest=row.digest, principal=principal_of(person, tenant=rows, names=names), expires_at=row.expires_at)


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
