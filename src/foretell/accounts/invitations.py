"""Asking people to come. The link holds in one tenant, once, for a week, and until it is revoked.

`by` is who asks; None is an operator. Nothing here knows of pages or mail: whoever invites gets the token, and says where it leads.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature
from django.db import IntegrityError, transaction

from foretell.accounts.errors import AccountExists, AccountNotFound, InvalidAccount, InvitationExists, InvitationOver
from foretell.accounts.flows.joining import require_invitations, sign_up_mode
from foretell.accounts.flows.signing_up import give_way
from foretell.accounts.folding import folded
from foretell.accounts.models import Invitation, SignUp, User
from foretell.accounts.people import create_user, faults_of
from foretell.accounts.permissions import Principal, may_manage
from foretell.accounts.roles import Role
from foretell.audit.actors import Credential, acting, current_actor
from foretell.audit.recording import record
from foretell.refusals import NotAllowed
from foretell.tenants.signing import tenant_signer

LIFETIME = timedelta(days=7)
PURPOSE = "invitation"


@transaction.atomic
def invite(*, email: str, role: str = Role.VIEWER, now: datetime, by: Principal | None = None) -> Invitation:
    """Ask somebody to come, with a role that is not above one's own; an earlier invitation of theirs is revoked.

    Raises
    ------
    NotAllowed, InvalidAccount, AccountExists, InvitationExists, JoiningClosed
    """
    require_invitations()
    invitation = Invitation(email=email, role=role, invited_by=by.user if by else None, expires_at=now + LIFETIME)
    _check(invitation)
    if by is not None and not may_manage(by, role):
        raise NotAllowed("Nobody invites to a role above their own.")
    if User.objects.filter(email_key=folded(email), pending_sign_up=None).exists():
        raise AccountExists(f"{email} is somebody's here already.")
    for earlier in Invitation.objects.open().select_for_update().filter(email_key=folded(email)):
        _revoke(earlier, now)
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError as err:
        raise InvitationExists(email) from err
    record(action="invitation.created", target=_target(invitation), name=email, after=_described(invitation))
    return invitation


def token_of(invitation: Invitation) -> str:
    """Return what the link carries. Security: it names the row and nothing else, signed for this tenant and this purpose."""
    return tenant_signer(PURPOSE).sign(invitation.pk.hex)


def read_token(token: str, *, now: datetime) -> Invitation:
    """Return the open invitation that a link is about.

    Raises
    ------
    InvitationOver
    """
    found = Invitation.objects.select_related("invited_by").filter(pk=_id_in(token)).first()
    if found is None or not is_valid(found, now=now):
        raise InvitationOver
    return found


def is_valid(invitation: Invitation, *, now: datetime, mode: SignUp | None = None) -> bool:
    """Whether somebody may come by it, as people join here: `mode`, which a list asks for once.

    Security: an invitation is worth no more than whoever sent it is worth today.
    """
    sender = invitation.invited_by
    is_worth_it = sender is None or may_manage(Principal(user=sender), invitation.role)
    return invitation.state(now) == "open" and is_worth_it and (mode or sign_up_mode()) != SignUp.CLOSED


@transaction.atomic
def accept_invitation(*, token: str, username: str, password: str, now: datetime) -> User:
    """Make whoever was invited a member, by the name and password that they choose.

    Raises
    ------
    InvitationOver
        Race condition: the row is held, so that one link makes one person.
    InvalidAccount, AccountExists
    """
    return _accepted(_id_in(token), username, password, now, by=Credential.LINK)


@transaction.atomic
def accept_by_provider(*, invitation: Invitation, username: str, now: datetime) -> User:
    """Make whoever was invited a member, for an identity provider that says the address is theirs; they have no password.

    Raises
    ------
    InvitationOver, InvalidAccount, AccountExists
    """
    return _accepted(invitation.pk, username, None, now, by=Credential.PROVIDER)


def _accepted(id: UUID, username: str, password: str | None, now: datetime, *, by: Credential) -> User:
    found = Invitation.objects.select_for_update(of=("self",)).filter(pk=id).first()
    if found is None or not is_valid(found, now=now):
        raise InvitationOver
    guest = replace(current_actor(), name=found.email, credential=by, credential_id=str(found.pk))
    with acting(guest):
        give_way(email=found.email, now=now)
        user = create_user(username=username, email=found.email, password=password, role=found.role)
        found.accepted_at, found.accepted_by = now, user
        found.save(update_fields=["accepted_at", "accepted_by", "updated_at"])
        after = {"state": "accepted", "username": user.username}
        record(action="invitation.accepted", target=_target(found), name=found.email, after=after)
    return user


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, now: datetime, by: Principal | None = None) -> None:
    """Let nobody come by it any more; one that is over stays as it is."""
    found = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if by is not None and not may_manage(by, found.role):
        raise NotAllowed("This invitation is to a role above your own.")
    if found.accepted_at is None and found.revoked_at is None:
        _revoke(found, now)


def open_invitation(email: str) -> Invitation:
    found = Invitation.objects.open().filter(email_key=folded(email)).first()
    if found is None:
        raise AccountNotFound(f"No invitation to {email!r} is open in this tenant.")
    return found


def _revoke(invitation: Invitation, now: datetime) -> None:
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at", "updated_at"])
    record(action="invitation.revoked", target=_target(invitation), name=invitation.email, after={"state": "revoked"})


def _id_in(token: str) -> UUID:
    try:
        return UUID(tenant_signer(PURPOSE).unsign(token, max_age=LIFETIME))
    except (BadSignature, ValueError):
        raise InvitationOver from None


def _check(invitation: Invitation) -> None:
    try:
        invitation.full_clean(validate_constraints=False)
    except ValidationError as err:
        raise InvalidAccount(faults_of(err)) from err


def _described(invitation: Invitation) -> dict[str, object]:
    return {"email": invitation.email, "role": invitation.role, "expires_at": invitation.expires_at, "state": "open"}


def _target(invitation: Invitation) -> tuple[str, str]:
    return "invitation", str(invitation.pk)
