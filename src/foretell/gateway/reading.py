"""Reads what the catalogue knows of tenants, through the ORM: a constant number of queries for each, of one moment."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction

from foretell.accounts.models import APIKey, ModelGrant, ModelPolicy, User
from foretell.accounts.tokens.models import TokenFamily
from foretell.accounts.tokens.signing_keys import KEPT_BEHIND, published_keys
from foretell.core.cross_origin.models import AllowedOrigin
from foretell.core.tenancy import use_public, use_tenant
from foretell.gateway.rows import KeyRow, ModelRow, PersonRow, SigningKeyRow, TenantRows, VersionRow
from foretell.registry.models import Alias, ModelVersion, RegisteredModel
from foretell.tenants.models import Domain, LogPolicy, Tenant, is_suspended_at, merged_limits

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class TenantHead:
    """A tenant's own row with its addresses; what stands for the tenant where its schema is read."""

    id: str
    name: str
    schema_name: str
    is_suspended: bool
    log_is_required: bool
    limits: dict[str, Any]
    domains: list[str]


def read_heads(schema_names: Collection[str], *, now: datetime) -> list[TenantHead]:
    """Return the tenants of these schemas; one that is gone is left out."""
    with use_public():
        rows = Tenant.objects.filter(schema_name__in=schema_names).values_list(
            "id", "name", "schema_name", "suspended_at", "suspended_until", "log_policy", "plan__limits", "own_limits"
        )
        domains = Domain.objects.filter(tenant__schema_name__in=schema_names).values_list("tenant_id", "domain")
        hosts = _grouped((tenant, host) for tenant, host in domains)
        return [
            TenantHead(
                str(id),
                name,
                schema,
                is_suspended_at(now, since=since, until=until),
                policy == LogPolicy.REQUIRED,
                merged_limits(of_plan, own),
                hosts[id],
            )
            for id, name, schema, since, until, policy, of_plan, own in rows
        ]


def read_tenant(head: TenantHead, *, now: datetime) -> TenantRows:
    """Return all that the catalogue knows of a tenant."""
    with use_tenant(head), _one_moment():
        models = _read_models()
        people, keys, restricted = _read_people(), _read_keys(now), _read_restricted()
        origins = list(AllowedOrigin.objects.values_list("origin", flat=True))
        signing_keys, ended_families = _read_signing_keys(now), _read_ended_families(now)
    return TenantRows(
        id=head.id, name=head.name, schema_name=head.schema_name, is_suspended=head.is_suspended,
        log_is_required=head.log_is_required, limits=head.limits, domains=head.domains,
        people=people, keys=keys, models=models, signing_keys=signing_keys, ended_families=ended_families,
        restricted=restricted, origins=origins,
    )  # fmt: skip


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read all of it as it was at one moment: no alias points at a version that was not read yet."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _read_people() -> list[PersonRow]:
    rows = User.objects.filter(is_active=True).order_by().values_list("id", "username", "role", "token_generation")
    granted = ModelGrant.objects.order_by().values_list("user_id", "model_name", "actions")
    grants = _grouped((user, (model, actions)) for user, model, actions in granted)
    return [PersonRow(str(id), username, role, generation, dict(grants[id])) for id, username, role, generation in rows]


def _read_restricted() -> list[str]:
    return list(ModelPolicy.objects.filter(is_restricted=True).values_list("model_name", flat=True))


def _read_keys(now: datetime) -> list[KeyRow]:
    rows = (
        APIKey.objects.usable(now)
        .order_by()
        .values_list("key_id", "secret_digest", "user_id", "scopes", "model_names", "expires_at")
    )
    return [
        KeyRow(id, digest, str(user), scopes, names, None if expires is None else expires.timestamp())
        for id, digest, user, scopes, names, expires in rows
    ]


def _read_signing_keys(now: datetime) -> list[SigningKeyRow]:
    return [
        SigningKeyRow(
            key.kid, key.public_key, None if key.verifies_until is None else key.verifies_until.timestamp()
        )
        for key in published_keys(now=now)
    ]  # fmt: skip


def _read_ended_families(now: datetime) -> list[str]:
    ended = TokenFamily.objects.filter(revoked_at__gt=now - KEPT_BEHIND).order_by()
    return [str(id) for id in ended.values_list("id", flat=True)]


def _read_models() -> list[ModelRow]:
    aliases = _grouped(
        (model, (name, number))
        for model, name, number in Alias.objects.order_by().values_list("model_id", "name", "version__number")
    )
    versions = _grouped((row[0], VersionRow(*row[1:])) for row in _version_rows())
    rows = (
        RegisteredModel.objects.filter(archived_at=None)
        .order_by()
        .values_list("id", "name", "limit_scope", "log_payload", "redacted_inputs")
    )
    return [
        ModelRow(name, scope, payload, redacted, versions[id], aliases[id])
        for id, name, scope, payload, redacted in rows
    ]


def _version_rows() -> Iterable[tuple[Any, ...]]:
    versions = ModelVersion.objects.filter(model__archived_at=None).order_by()
    return versions.values_list(
        "model_id", "id", "number", "state", "reason", "seal", "size_bytes", "runtime"
    )  # fmt: skip


def _grouped(pairs: Iterable[tuple[K, V]]) -> defaultdict[K, list[V]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
