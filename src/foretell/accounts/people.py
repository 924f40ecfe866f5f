"""Making people and service accounts, and what they change of themselves."""

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from foretell.accounts.errors import (
    AccountExists,
    AccountNotFound,
    AddressTaken,
    InvalidAccount,
    NoPerson,
    WrongPassword,
    of_field,
)
from foretell.accounts.flows import new_address
from foretell.accounts.flows.notices import tell_of_password
from foretell.accounts.folding import folded
from foretell.accounts.login_limits import attempt
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed, may_manage
from foretell.accounts.roles import Role
from foretell.audit.recording import record
from foretell.core.tenancy import current_tenant
from foretell.problems import Fault
from foretell.refusals import NotAllowed

NAME_TAKEN = "This user name is taken already, perhaps in other capitals. Choose another one."
ADDRESS_TAKEN = "This e-mail address is taken already, perhaps in other capitals. Choose another one."
SERVICE_ROLES = [role for role in Role.values if role != Role.OWNER]


def new_password() -> str:
    return secrets.token_urlsafe(15)


@transaction.atomic
def create_user(
    *, username: str, email: str, password: str | None, role: str = Role.VIEWER, is_email_verified: bool = True
) -> User:
    """Make a person of the tenant at hand; without a password for whoever signs in by an identity provider.

    is_email_verified : whether an operator vouches for the address, or a mail to it brought them; else they verify it to sign in.

    Raises
    ------
    InvalidAccount
        names each field that is wrong, and why.
    AccountExists
        when the name or the address is taken, in any case; the database decides, so that a race has one winner.
    """
    user = User(username=User.normalize_username(username), email=email, role=role)
    user.email_verified_at = timezone.now() if is_email_verified else None
    validate(user, password)
    user.set_password(password)
    _save_new(user)
    return user


@transaction.atomic
def create_service_account(
    *, username: str, role: str = Role.VIEWER, responsible: User, by: Principal | None = None
) -> User:
    """Make an account that is no person: it cannot sign in, has keys, and an admin or owner answers for it.

    Raises
    ------
    InvalidAccount, AccountExists, NotAllowed
    """
    if by is not None and not may_manage(by, role):
        raise NotAllowed("Nobody makes an account with a role above their own.")
    user = User(username=User.normalize_username(username), role=role, is_person=False, responsible=responsible)
    validate(user, None)
    check_responsible(responsible)
    user.set_unusable_password()
    _save_new(user)
    return user


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Give somebody another password; their sessions and tokens of before are over."""
    if not user.is_person:
        raise NoPerson(f"{user.username} is a service account: it has keys, and no password.")
    validate(user, password)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    record(action="user.password_changed", target=_target(user), name=user.username)
    tell_of_password(user)


@transaction.atomic
def change_account(
    *,
    by: Principal,
    username: str | None = None,
    email: str | None = None,
    password: str | None = None,
    current_password: str = "",
) -> User:
    """Change one's own name or password, and ask for another address; all of it needs the password of now.

    Security: whoever found an open session, or a key, changes neither the address that a reset goes to nor the password.

    Raises
    ------
    NotAllowed, NoPerson, WrongPassword, InvalidAccount, AccountExists
    Throttled
        after too many passwords that were wrong, here or at a sign-in, before another one is hashed; after too many addresses.
    """
    if not is_allowed(by, Action.MANAGE_SELF):
        raise NotAllowed
    user = User.objects.select_for_update().get(pk=by.user.pk)
    _check_password(user, current_password)
    _rename(user, username=username, email=email, password=password)
    if password is not None:
        change_password(user=user, password=password)
    return user


def _rename(user: User, *, username: str | None, email: str | None, password: str | None) -> None:
    """Write another name; another address waits until it is verified."""
    before, asked_before = {"username": user.username, "email": user.email}, user.pending_email
    user.username = user.username if username is None else User.normalize_username(username)
    if email is not None:
        new_address.ask(user, email)
    validate(user, password)
    after = {"username": user.username, "email": user.email}
    if (after, user.pending_email) == (before, asked_before):
        return
    _save(user, update_fields=["username", "username_key", "email", "email_key", "pending_email", "updated_at"])
    if after != before:
        record(action="user.changed", target=_target(user), name=user.username, before=before, after=after)
    new_address.record_asked(user, before=asked_before)


def get_user(username: str) -> User:
    try:
        return User.objects.members().get(pk=User.objects.get_by_natural_key(username).pk)
    except User.DoesNotExist:
        raise AccountNotFound(f"There is no user {username!r} in this tenant.") from None


def named(attr: str, username: str) -> User:
    """Return somebody whom a field of a request names.

    Raises
    ------
    InvalidAccount
    """
    try:
        return get_user(username)
    except AccountNotFound as err:
        raise of_field(attr, "not_found", err.message) from err


def validate(user: User, password: str | None) -> None:
    """Say all that is wrong with somebody, at once.

    Raises
    ------
    InvalidAccount
    """
    faults: list[Fault] = []
    try:
        user.clean_fields(exclude=["password", "username_key", "email_key"])
    except ValidationError as err:
        faults += faults_of(err)
    if user.is_person and not user.email:
        faults.append(Fault(attr="email", code="blank", detail="A person has an e-mail address."))
    if not user.is_person and user.role == Role.OWNER:
        detail = f"A service account owns nothing. Expected one of {', '.join(SERVICE_ROLES)}."
        faults.append(Fault(attr="role", code="invalid", detail=detail))
    if "@" in user.username and any(folded(user.username) != folded(one) for one in addresses_of(user)):
        # Security: signing in by e-mail address would find this person instead of the address's owner; now, or once theirs is another one.
        faults.append(
            Fault(attr="username", code="invalid", detail="An e-mail address as a user name has to be one's own.")
        )
    try:
        if password is not None:
            validate_password(password, user)
    except ValidationError as err:
        faults += [Fault(attr="password", code="weak", detail=message) for message in err.messages]
    if faults:
        raise InvalidAccount(faults)


def addresses_of(user: User) -> list[str]:
    """Return somebody's address, and the one that they asked for."""
    return [user.email, *([user.pending_email] if user.pending_email else [])]


def check_responsible(user: User) -> None:
    """Refuse somebody who cannot answer for a service account."""
    is_admin = user.is_active and user.role in (Role.ADMIN, Role.OWNER)
    if not user.is_person or not is_admin:
        raise of_field("responsible", "no_admin", f"{user.username} is no admin or owner. Only they answer for others.")


def faults_of(err: ValidationError) -> list[Fault]:
    return [
        Fault(attr=field.removeprefix("pending_"), code="invalid", detail=message)
        for field, messages in err.message_dict.items()
        for message in messages
    ]


def described(user: User) -> dict[str, object]:
    """Return what the audit says of somebody."""
    return {
        "username": user.username, "email": user.email, "role": user.role, "is_active": user.is_active, "is_person": user.is_person
    }  # fmt: skip


def _save_new(user: User) -> None:
    _save(user, force_insert=True)
    record(action="user.created", target=_target(user), name=user.username, after=described(user))


def _save(user: User, **options: object) -> None:
    try:
        with transaction.atomic():
            user.save(**options)  # type: ignore[arg-type]  # Model.save's own
    except IntegrityError as err:
        if "user_email_unique" in str(err):
            raise AddressTaken(ADDRESS_TAKEN) from err
        raise AccountExists(NAME_TAKEN) from err


def _check_password(user: User, password: str) -> None:
    if not user.is_person:
        raise NoPerson("A service account is changed by an admin, not by itself.")
    with attempt(tenant_id=str(current_tenant().id), account=user.username, client="") as one:
        if not user.check_password(password):
            one.failed()
            raise WrongPassword


def _target(user: User) -> tuple[str, str]:
    return "user", str(user.pk)
