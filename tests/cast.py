"""Who plays in the tests, and how the stage is cleared between them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

PASSWORD = "a long enough passphrase"

# What acts leave behind, with all that refers to it; people are put back one by one, since making them costs a password hash each.
CLEARED = (
    "registry_promotionrequest", "registry_aliasmove", "registry_alias", "registry_modelversion", "registry_registeredmodel", "django_session", "usersessions_usersession",
    "monitoring_prediction", "monitoring_usagehour", "monitoring_loggap", "idempotency_keptanswer", "cross_origin_allowedorigin", "tokens_tokenfamily", "tokens_signingkey",
    "accounts_modelgrant", "accounts_modelpolicy", "accounts_invitation", "accounts_signuppolicy", "flows_outgoingmail", "flows_pendingsignup", "mfa_authenticator", "socialaccount_socialaccount", "identity_providers_identityprovider",
)  # fmt: skip

REFERRING = """
WITH RECURSIVE referring AS (
    SELECT name::regclass::oid AS id FROM unnest(%s::text[]) AS name
    UNION SELECT conrelid FROM pg_constraint JOIN referring ON confrelid = id WHERE contype = 'f'
) SELECT id::regclass::text FROM referring
"""

_OTHERS = "(SELECT id FROM accounts_user WHERE username <> ALL(%(names)s))"
NEWCOMERS = (
    "DELETE FROM accounts_apikey WHERE key_id <> ALL(%(keys)s)",
    *(f"DELETE FROM {table} WHERE user_id IN {_OTHERS}"  # noqa: S608  ours
      for table in ("account_emailaddress", "accounts_user_groups", "accounts_user_user_permissions", "django_admin_log")),
    "DELETE FROM accounts_user WHERE username <> ALL(%(names)s)",
)  # fmt: skip

FIRST_STATE: dict[str, Any] = {
    "suspended_at": None, "suspended_reason": "", "suspended_until": None, "delete_after": None, "own_limits": {}, "plan": None,
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    username: str
    role: str
    key: str = field(repr=False)
    key_id: str

    @property
    def password(self) -> str:
        return PASSWORD


People = dict[str, Person]


@dataclass
class House:
    """A tenant, its people and their keys."""

    tenant: Any
    people: People
    introduced: Any = None  #: what `people_now` told in the beginning

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Work in the tenant's schema, as code behind the door does."""
        from foretell.core.tenancy import use_tenant

        with use_tenant(self.tenant):
            yield

    def user(self, name: str) -> Any:
        from foretell.accounts.models import User

        with self.inside():
            return User.objects.get(username=name)

    def principal(self, name: str) -> Any:
        from foretell.accounts.permissions import Principal

        return Principal(user=self.user(name))

    def reset(self) -> None:
        """Put everything back to what it was when the house was opened.

        Optimization: what is as it was is left alone, since this is done behind every test, and most change little.
        """
        from foretell.accounts import limiting
        from foretell.core.tenancy import use_public
        from foretell.registry.serving import forget_all

        forget_all()
        limiting.forget_all()
        with use_public():
            self._reset_tenant()
        with self.inside():
            self._clear()
            self._reset_people()

    def _reset_tenant(self) -> None:
        for name, value in FIRST_STATE.items():
            setattr(self.tenant, name, value)
        found = type(self.tenant).objects.filter(pk=self.tenant.pk).values().first() or {}
        if any(value != getattr(self.tenant, name) for name, value in found.items() if name != "updated_at"):
            self.tenant.save()

    def _clear(self) -> None:
        from django.db import connection

        from foretell.core.tenancy import as_owner

        filled = " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in cleared_tables())  # noqa: S608  ours
        with as_owner(), connection.cursor() as cursor:  # a tenant's own role may not do this
            cursor.execute(filled)
            if tables := [table for (table,) in cursor.fetchall()]:
                cursor.execute(unseen(f"DELETE FROM {table}" for table in tables))  # noqa: S608  ours

    def _reset_people(self) -> None:
        from foretell.accounts.models import APIKey, User

        if people_now() == self.introduced:
            return
        self._remove_newcomers()
        first = {"revoked_at": None, "expires_at": None, "rolled_to": None, "scopes": ["admin"]}
        APIKey.objects.exclude(model_names__isnull=True, **first).update(**first, model_names=None)
        for username, role, is_active, verified_at, pending in self.introduced[0]:
            state = {"role": role, "is_active": is_active, "email_verified_at": verified_at, "pending_email": pending}
            User.objects.filter(username=username).exclude(**state).update(**state)

    def _remove_newcomers(self) -> None:
        """Remove who came with an act, and the keys that were made.

        Optimization: in one round trip. Django asks two dozen tables who refers to somebody; those that do are cleared already, or named here.
        """
        from django.db import connection

        from foretell.core.tenancy import as_owner

        with as_owner(), connection.cursor() as cursor:
            names, keys = list(self.people), [person.key_id for person in self.people.values()]
            cursor.execute(unseen(NEWCOMERS), {"names": names, "keys": keys})


@dataclass
class Cast:
    acme: House
    globex: House

    def house_of(self, person: str) -> House:
        return next(house for house in (self.acme, self.globex) if person in house.people)


@cache
def cleared_tables() -> tuple[str, ...]:
    """Return what is cleared, with every table that refers to it, in the schema at hand; all have the same."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(REFERRING, [list(CLEARED)])
        return tuple(table for (table,) in cursor.fetchall())


def unseen(statements: Iterable[str]) -> str:
    """Return what does all of it in one round trip and without asking what refers to what. No trigger sees it, so who keeps rows in memory is told.

    Optimization: rows are deleted. TRUNCATE gives each table and index a new file, and lets every session forget what it knew of them.
    """
    told = "SELECT public.foretell_tenant_changed(current_schema())"
    return "; ".join(["SET LOCAL session_replication_role = replica", *statements, told])


def open_house(name: str, roles: dict[str, str]) -> House:
    from foretell.accounts.services import create_key, create_user
    from foretell.core.tenancy import use_tenant
    from foretell.tenants.services import create_tenant

    tenant = create_tenant(name=name)
    people = {}
    with use_tenant(tenant):
        for username, role in roles.items():
            user = create_user(username=username, email=f"{username}@{name}.example", password=PASSWORD, role=role)
            key, secret = create_key(user=user, name="test", scopes=["admin"])
            people[username] = Person(username=username, role=role, key=secret, key_id=key.key_id)
        return House(tenant=tenant, people=people, introduced=people_now())


def people_now() -> tuple[list[Any], list[Any]]:
    """Return of the people and the keys in the schema at hand what acts change."""
    from foretell.accounts.models import APIKey, User

    users = User.objects.order_by("pk").values_list(
        "username", "role", "is_active", "email_verified_at", "pending_email"
    )
    keys = APIKey.objects.order_by("pk").values_list(
        "key_id", "scopes", "model_names", "revoked_at", "expires_at", "rolled_to"
    )
    return list(users), list(keys)
