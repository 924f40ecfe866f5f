"""The members of a tenant: roles, leaving and being shown out, ownership. A tenant keeps at least one owner.

`by` is who asks; None is an operator, at the command line.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from foretell.accounts.errors import AccountNotFound, LastOwner, NoPerson, of_field
from foretell.accounts.models import APIKey, Invitation, ModelGrant, User
from foretell.accounts.people import check_responsible, described, validate
from foretell.accounts.permissions import Action, Principal, is_allowed, may_manage
from foretell.accounts.roles import Role
from foretell.accounts.second_factor.services import forget_second_factors
from foretell.audit.recording import record
from foretell.refusals import NotAllowed

ADMINS = (Role.ADMIN, Role.OWNER)


@transaction.atomic
def change_role(*, user: User, role: str, by: Principal | None = None) -> User:
    """Give somebody another role; nobody gives, or takes, one above their own.

    Raises
    ------
    NotAllowed, LastOwner, InvalidAccount, AccountNotFound
    """
    found = _locked(user)
    _check_may_manage(by, found.role)
    before, found.role = found.role, role
    validate(found, None)
    _check_may_manage(by, role)
    _keep_an_owner(found, stays=role == Role.OWNER)
    if role == before:
        return found
    found.save(update_fields=["role", "updated_at"])
    record(
        action="user.role_changed",
        target=_target(found),
        name=found.username,
        before={"role": before},
        after={"role": role},
    )
    if role not in ADMINS:
        _pass_on_service_accounts(found, by)
    return found  # fmt: skip


@transaction.atomic
def deactivate_user(*, user: User, by: Principal | None = None) -> User:
    """End somebody's access, by password, session, token and key; nothing of theirs is deleted."""
    found = _locked(user)
    _check_may_manage(by, found.role)
    _keep_an_owner(found, stays=False)
    if not found.is_active:
        return found
    _set_active(found, False, "user.deactivated")
    _pass_on_service_accounts(found, by)
    return found


@transaction.atomic
def reactivate_user(*, user: User, by: Principal | None = None) -> User:
    """Let somebody in again; their keys that are neither revoked nor expired work again, their sessions and tokens do not."""
    found = _locked(user)
    _check_may_manage(by, found.role)
    if not found.is_active:
        _set_active(found, True, "user.reactivated")
    return found


@transaction.atomic
def remove_user(*, user: User, by: Principal | None = None, now: datetime) -> None:
    """Take somebody out of the tenant, for good.

    Their keys end, their grants go, and so do their name and address: both may be taken again. What they made stays, and the audit
    knows who they were.
    """
    found = _locked(user)
    _check_may_manage(by, found.role)
    _remove(found, by, now)


@transaction.atomic
def leave(*, by: Principal, now: datetime) -> None:
    """Take oneself out of the tenant, for good.

    Raises
    ------
    NotAllowed, NoPerson, LastOwner
    """
    if not is_allowed(by, Action.MANAGE_SELF):
        raise NotAllowed
    if not by.user.is_person:
        raise NoPerson("A service account does not leave; who manages it removes it.")
    _remove(_locked(by.user), None, now)


@transaction.atomic
def transfer_ownership(*, to: User, by: Principal) -> User:
    """Make somebody an owner, and oneself an admin, at one stroke."""
    if not is_allowed(by, Action.OWN):
        raise NotAllowed("Only an owner hands a tenant over.")
    successor = _locked(to)
    if not successor.is_person or not successor.is_active:
        raise NoPerson(
            f"{successor.username} is a service account, or deactivated. Only a person who can sign in owns a tenant."
        )
    if successor.pk == by.user.pk:
        raise of_field("to", "invalid", "You own it already. Expected somebody else.")
    change_role(user=successor, role=Role.OWNER, by=by)
    change_role(user=by.user, role=Role.ADMIN, by=by)
    return User.objects.get(pk=successor.pk)  # fmt: skip


@transaction.atomic
def change_responsible(*, user: User, responsible: User, by: Principal | None = None) -> User:
    """Let another admin answer for a service account."""
    found = _locked(user)
    _check_may_manage(by, found.role)
    if found.is_person:
        raise NoPerson(f"{found.username} is a person, and answers for themselves.")
    check_responsible(responsible)
    _set_responsible([found], responsible)
    return found


def _remove(user: User, by: Principal | None, now: datetime) -> None:
    _keep_an_owner(user, stays=False)
    before = described(user)
    APIKey.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
    ModelGrant.objects.filter(user=user).delete()
    forget_second_factors(user)
    Invitation.objects.open().filter(invited_by=user).update(revoked_at=now)
    _pass_on_service_accounts(user, by)
    user.username, user.email, user.role = f"removed-{user.pk.hex[-12:]}", "", Role.VIEWER
    user.pending_email = ""
    user.is_active, user.removed_at, user.responsible, user.email_verified_at = False, now, None, None
    user.set_unusable_password()
    user.save()
    record(action="user.removed", target=_target(user), name=str(before["username"]), before=before)


def _locked(user: User) -> User:
    """Return somebody as they are now.

    Race condition: whoever changes members holds all owners as well, in one order, so that two owners do not leave at once, each
    seeing the other.
    """
    wanted = Q(pk=user.pk) | Q(role=Role.OWNER, is_active=True)
    rows = User.objects.members().select_for_update(of=("self",)).filter(wanted).order_by("pk")
    found = next((row for row in rows if row.pk == user.pk), None)
    if found is None:
        raise AccountNotFound(f"There is no user {user.username!r} in this tenant.")
    return found


def _keep_an_owner(user: User, *, stays: bool) -> None:
    others = User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=user.pk)
    was_owner = User.objects.filter(pk=user.pk, role=Role.OWNER, is_active=True).exists()
    if was_owner and not stays and not others.exists():
        raise LastOwner


def _check_may_manage(by: Principal | None, role: str) -> None:
    if by is not None and not may_manage(by, role):
        raise NotAllowed("Your role, or the scopes of your key, do not include this, for somebody of that role.")


def _set_active(user: User, is_active: bool, action: str) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active", "updated_at"])
    record(
        action=action, target=_target(user), name=user.username, before={"is_active": not is_active}, after={"is_active": is_active}
    )  # fmt: skip


def _pass_on_service_accounts(user: User, by: Principal | None) -> None:
    """Let who did it answer for the service accounts of somebody who no longer can; else the first owner."""
    left = list(User.objects.members().select_for_update(of=("self",)).filter(responsible=user).order_by("pk"))
    if not left:
        return
    successor = by.user if by is not None and by.user.is_person and by.user.pk != user.pk else None
    _set_responsible(left, successor or _first_owner_but(user))


def _first_owner_but(user: User) -> User | None:
    return User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=user.pk).order_by("created_at", "pk").first()


def _set_responsible(accounts: Sequence[User], responsible: User | None) -> None:
    names: dict[Any, str] = dict(
        User.objects.filter(pk__in=[account.responsible_id for account in accounts]).values_list("pk", "username")
    )
    for account in accounts:
        before, account.responsible = names.get(account.responsible_id), responsible
        User.objects.filter(pk=account.pk).update(responsible=responsible, updated_at=timezone.now())
        record(
            action="user.responsible_changed", target=_target(account), name=account.username,
            before={"responsible": before}, after={"responsible": responsible.username if responsible else None},
        )  # fmt: skip


def _target(user: User) -> tuple[str, str]:
    return "user", str(user.pk)
