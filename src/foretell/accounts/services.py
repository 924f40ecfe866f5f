"""Making people and keys, and changing them."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from foretell import keys
from foretell.accounts.folding import folded
from foretell.accounts.models import APIKey, User
from foretell.accounts.roles import Role, Scope
from foretell.core.tenancy import use_public, use_tenant
from foretell.errors import ForetellError
from foretell.problems import Fault
from foretell.tenants.models import Tenant
from foretell.tenants.services import create_tenant


class InvalidAccount(ForetellError):
    """A user or key that cannot be made as asked; `faults` names each field."""

    code = "invalid_account"
    kind = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault['attr']}: {fault['detail']}" for fault in faults))
        self.faults = list(faults)


class AccountExists(ForetellError):
    code = "account_exists"
    kind = "conflict"


class AccountNotFound(ForetellError):
    code = "account_not_found"
    kind = "not_found"


class LastOwner(ForetellError):
    code = "last_owner"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("This is the tenant's last owner. Make somebody else an owner first.")


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
    return NewTenant(tenant=tenant, owner=owner, password=password, api_key=secret)


def new_password() -> str:
    return secrets.token_urlsafe(15)


def create_user(*, username: str, email: str, password: str, role: str = Role.VIEWER) -> User:
    """Make somebody of the tenant at hand.

    Raises
    ------
    InvalidAccount
        names each field that is wrong, and why.
    AccountExists
        when the name or the address is taken, in any case; the database decides, so that a race has one winner.
    """
    user = User(username=User.normalize_username(username), email=email, role=role)
    _validate(user, password)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as err:
        taken = "e-mail address" if "user_email_unique" in str(err) else "user name"
        raise AccountExists(f"This {taken} is taken already, perhaps in other capitals. Choose another one.") from err
    return user


def change_password(*, user: User, password: str) -> None:
    _validate(user, password)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])


@transaction.atomic
def change_role(*, user: User, role: str) -> None:
    """Give somebody another role; a tenant keeps at least one owner."""
    _keep_an_owner(user, stays=role == Role.OWNER)
    user.role = role
    _validate(user, None)
    user.save(update_fields=["role", "updated_at"])


@transaction.atomic
def deactivate_user(*, user: User) -> None:
    """End somebody's access, by password, session and key; nothing of theirs is deleted."""
    _keep_an_owner(user, stays=False)
    user.is_active = False
    user.save(update_fields=["is_active", "updated_at"])


def get_user(username: str) -> User:
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise AccountNotFound(f"There is no user {username!r} in this tenant.") from None


def create_key(
    *,
    user: User,
    name: str,
    scopes: Iterable[str],
    models: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[APIKey, str]:
    """Make a key; the text beside it is the key itself, which nobody can show again."""
    scopes = list(dict.fromkeys(scopes))
    _validate_scopes(scopes)
    fresh = keys.new_key()
    row = APIKey(
        key_id=fresh.id, secret_digest=keys.digest(fresh.secret, pepper=pepper()), user=user, name=name.strip(), scopes=scopes,
        model_names=None if models is None else sorted(set(models)), expires_at=expires_at,
    )  # fmt: skip
    try:
        row.full_clean(exclude=["secret_digest"])
    except ValidationError as err:
        raise InvalidAccount(_faults(err)) from err
    row.save(force_insert=True)
    return row, str(fresh)


def get_key(key_id: str) -> APIKey:
    found = APIKey.objects.filter(key_id=key_id.removeprefix(keys.PREFIX).split("_", 1)[0]).first()
    if found is None:
        raise AccountNotFound(f"There is no key {key_id!r} in this tenant. `foretell key list` shows those there are.")
    return found


def revoke_key(*, key: APIKey, now: datetime) -> None:
    """End a key, for good; revoking it again changes nothing."""
    APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def verify_key(key: keys.Key | None, *, now: datetime) -> APIKey | None:
    """Return the usable row of a presented key, or None.

    Security: an unknown id costs the same HMAC and comparison as a known one.
    """
    row = APIKey.objects.usable(now).select_related("user").filter(key_id=key.id if key else "").first()
    offered = keys.digest(key.secret if key else "", pepper=pepper())
    is_right = secrets.compare_digest(offered, row.secret_digest if row else "0" * len(offered))
    if row is None or not is_right:
        return None
    row.was_used(now)
    return row


def pepper() -> bytes:
    """Return what digests of keys are made with, from the installation's secret: a stolen database alone verifies nothing."""
    return sha256(b"foretell api keys\0" + settings.SECRET_KEY.encode()).digest()


def _validate(user: User, password: str | None) -> None:
    faults: list[Fault] = []
    try:
        user.clean_fields(exclude=["password", "username_key", "email_key"])
    except ValidationError as err:
        faults += _faults(err)
    if "@" in user.username and folded(user.username) != folded(user.email):
        # Security: signing in by e-mail address would find this person instead of the address's owner.
        faults += [
            Fault(attr="username", code="invalid", detail="An e-mail address as a user name has to be one's own.")
        ]
    try:
        if password is not None:
            validate_password(password, user)
    except ValidationError as err:
        faults += [Fault(attr="password", code="weak", detail=message) for message in err.messages]
    if faults:
        raise InvalidAccount(faults)


def _validate_scopes(scopes: list[str]) -> None:
    if not scopes or (unknown := set(scopes) - set(Scope.values)):
        found = ", ".join(sorted(unknown)) if scopes else "none"
        raise InvalidAccount(
            [
                Fault(
                    attr="scopes",
                    code="unknown_scope",
                    detail=f"Found {found}; expected one or more of {', '.join(Scope.values)}.",
                )
            ]
        )


def _faults(err: ValidationError) -> list[Fault]:
    return [
        Fault(attr=field, code="invalid", detail=message)
        for field, messages in err.message_dict.items()
        for message in messages
    ]


def _keep_an_owner(user: User, *, stays: bool) -> None:
    """Race condition: owners are locked, so that two do not leave at once, each seeing the other."""
    owners = list(User.objects.select_for_update().filter(role=Role.OWNER, is_active=True).values_list("pk", flat=True))
    if not stays and owners == [user.pk]:
        raise LastOwner
