"""Who somebody is that a provider sends, and whether they are let in: nobody is taken for another by an address that nobody verified."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import transaction

from foretell.accounts.flows.joining import is_open, sign_up_mode
from foretell.accounts.flows.signing_up import give_way
from foretell.accounts.folding import folded, validate_username
from foretell.accounts.identity_providers.errors import LastWayIn, NotLetIn
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.invitations import accept_by_provider, is_valid
from foretell.accounts.models import Invitation, SignUp, User
from foretell.accounts.people import create_user
from foretell.accounts.roles import Role
from foretell.accounts.sign_in_policy import is_email_verified
from foretell.audit.actors import Credential, acting, current_actor

NO_NAME = re.compile(r"[^a-z0-9._+-]")
MAX_NAMESAKES = 10_000
NOT_VERIFIED = (
    "Your identity provider does not say that your e-mail address is verified. Verify it there, and come again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a provider says of somebody, its signature checked."""

    subject: str
    email: str
    is_email_verified: bool
    username: str = ""


@transaction.atomic
def identify(*, provider: IdentityProvider, claimed: Claimed, now: datetime) -> User:
    """Return who it is: known from before, by a verified address, or new by the tenant's own rules; the next time they are known.

    Raises
    ------
    NotLetIn
    """
    known = SocialAccount.objects.select_related("user").filter(provider=provider.slug, uid=claimed.subject).first()
    if known is not None:
        return known.user  # type: ignore[no-any-return]  # allauth has no types
    _check_address(provider, claimed)
    give_way(email=claimed.email, now=now)
    user = _person_with(claimed) or _newcomer(provider, claimed, now)
    connect(provider=provider, claimed=claimed, user=user)
    return user


@transaction.atomic
def connect(*, provider: IdentityProvider, claimed: Claimed, user: User) -> None:
    """Join an account to what a provider says, for whoever has shown that both are theirs.

    Raises
    ------
    NotLetIn
    """
    account, is_new = SocialAccount.objects.get_or_create(
        provider=provider.slug, uid=claimed.subject, defaults={"user": user, "extra_data": {"email": claimed.email}}
    )
    if not is_new and account.user_id != user.pk:
        raise NotLetIn(f"This account of {provider.name} is joined to somebody else here.")


@transaction.atomic
def disconnect(*, user: User, slug: str) -> None:
    """Part an account from what a provider says.

    Raises
    ------
    LastWayIn
    """
    User.objects.select_for_update().get(pk=user.pk)  # Race condition: two at once would each see the other way in
    mine = SocialAccount.objects.filter(user_id=user.pk)
    if not user.has_usable_password() and not mine.exclude(provider=slug).exists():
        raise LastWayIn
    for account in mine.filter(provider=slug):
        account.delete()


def _check_address(provider: IdentityProvider, claimed: Claimed) -> None:
    if not claimed.email or not claimed.is_email_verified:
        raise NotLetIn(NOT_VERIFIED)
    if not provider.speaks_for(claimed.email):
        raise NotLetIn(
            f"{provider.name} does not speak for addresses such as {claimed.email} here. An owner says for which."
        )


def _person_with(claimed: Claimed) -> User | None:
    """Return who has the address. Security: who did not verify it here may have waited for its owner to come."""
    user = User.objects.members().filter(email_key=folded(claimed.email), is_person=True).first()
    if user is not None and not is_email_verified(user):
        raise NotLetIn(
            "There is an account with your address that was never verified. Sign in to it and verify it first."
        )
    return user


def _newcomer(provider: IdentityProvider, claimed: Claimed, now: datetime) -> User:
    """Make somebody a member: by an invitation to their address, the owner's word for this provider, or because all may come."""
    username = _free_name(claimed)
    invitation = Invitation.objects.open().filter(email_key=folded(claimed.email)).first()
    if invitation is not None and is_valid(invitation, now=now):
        return accept_by_provider(invitation=invitation, username=username, now=now)
    role = _role_of_newcomers(provider)
    if role is None:
        raise NotLetIn("You are not a member here. Ask for an invitation to this address, and come again.")
    guest = replace(current_actor(), name=claimed.email, credential=Credential.PROVIDER, credential_id=provider.slug)
    with acting(guest):
        return create_user(username=username, email=claimed.email, password=None, role=role)


def _role_of_newcomers(provider: IdentityProvider) -> str | None:
    if sign_up_mode() == SignUp.CLOSED:
        return None
    return provider.joins_as or (Role.VIEWER if is_open() else None)


def _free_name(claimed: Claimed) -> str:
    """Return a user name that nobody has, as like to the provider's as can be. Two who come at once: one comes again."""
    wanted = claimed.username.partition("@")[0] or claimed.email.partition("@")[0]
    try:
        validate_username(wanted)
    except ValidationError:
        wanted = NO_NAME.sub("", wanted.lower()).lstrip("._-+") or "member"
    names = (wanted[:140] if n == 1 else f"{wanted[:140]}-{n}" for n in range(1, MAX_NAMESAKES))
    taken = set(
        User.objects.filter(username_key__startswith=folded(wanted[:140])).values_list("username_key", flat=True)
    )
    return next((name for name in names if folded(name) not in taken), f"member-{len(taken)}")
