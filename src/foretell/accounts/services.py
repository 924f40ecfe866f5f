"""What other rooms do with people and keys: this room's public face beside `models`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from foretell.accounts.api_keys import create_key, get_key, pepper, revoke_key, roll_key, verify_key
from foretell.accounts.errors import AccountExists, AccountNotFound, InvalidAccount, LastOwner
from foretell.accounts.members import change_role, deactivate_user, reactivate_user, remove_user
from foretell.accounts.models import User
from foretell.accounts.people import change_password, create_service_account, create_user, get_user, new_password
from foretell.accounts.roles import Role, Scope
from foretell.accounts.tokens.signing_keys import rotate_if_due
from foretell.core.tenancy import use_public, use_tenant
from foretell.tenants.models import Tenant
from foretell.tenants.services import create_tenant

__all__ = [
    "AccountExists",
    "AccountNotFound",
    "InvalidAccount",
    "LastOwner",
    "NewTenant",
    "change_password",
    "change_role",
    "create_key",
    "create_service_account",
    "create_tenant_with_owner",
    "create_user",
    "deactivate_user",
    "get_key",
    "get_user",
    "new_password",
    "pepper",
    "reactivate_user",
    "remove_user",
    "revoke_key",
    "roll_key",
    "verify_key",
]


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant as it is handed to its owner: the password and the key are shown this once."""

    tenant: Tenant
    owner: User
    password: str = field(repr=False)
    api_key: str = field(repr=False)


def create_tenant_with_owner(
    *, name: str, domains: Sequence[str] = (), username: str, email: str, password: str | None = None
) -> NewTenant:
    """Make a tenant, its owner and the owner's first key; all of it or nothing, in one transaction."""
    password = password or new_password()
    with use_public(), transaction.atomic():
        tenant = create_tenant(name=name, domains=domains)
        with use_tenant(tenant):
            owner = create_user(username=username, email=email, password=password, role=Role.OWNER)
            _, secret = create_key(user=owner, name="first key", scopes=[Scope.ADMIN])
            rotate_if_due(now=timezone.now())  # the key to sign with is known to all processes before the first token
    return NewTenant(tenant=tenant, owner=owner, password=password, api_key=secret)
