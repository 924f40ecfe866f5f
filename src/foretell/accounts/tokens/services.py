"""Signing in for tokens, refreshing, checking and ending them: what views, the command line and account flows call.

Refresh tokens rotate: each is used once, and names its successor. One that comes a second time was copied by somebody, and nobody knows
which of the two is the thief: the family ends, and whoever is honest signs in again. The one exception is a client whose answer was lost,
and that asks again.

Security: the grace. Within `GRACE` of a rotation the token that was just used is answered again, with the *same* successor, as long as
nobody has used that. A thief who has a token gains by it:
- when he is first: nothing that he would not have without the grace. The honest client comes later with the same token, in seconds or in
  minutes. Out of the grace, the family ends; within it, both now hold the same successor.
- when he is second, within those seconds: one access token, and the successor that the honest client holds too.
In either case both go on from one and the same token, and the next one to use it is again followed by the other: to stay unseen, the
thief has to be within seconds of the honest client at each refresh, each time, without knowing when that is; the first time he is
not, the family ends, and with it at once all access tokens of it. There is never a second line of successors, so he cannot leave the
honest client's line for one of his own. So nothing may tell, without using it, whether a refresh token was used: `/api/token/verify/` takes
access tokens only, and a refusal of scopes reads the same in the grace as before it.
Without the grace a lost answer, or two tabs that refresh at once, would sign people out, which teaches clients to keep passwords.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from foretell.accounts.models import User
from foretell.accounts.roles import Scope
from foretell.accounts.tokens.checking import signed_claims
from foretell.accounts.tokens.claims import MAX_ACCESS_S
from foretell.accounts.tokens.issuing import TokenPair, new_pair
from foretell.accounts.tokens.models import TokenFamily, new_secret
from foretell.accounts.tokens.refresh_tokens import RefreshToken, is_right, parse_token
from foretell.accounts.tokens.signing_keys import rotate_if_due
from foretell.audit import actors
from foretell.audit.recording import record
from foretell.credentials import AuthenticationFailed
from foretell.errors import ForetellError
from foretell.problems import Fault

GRACE: Final = timedelta(seconds=10)
KEPT_BEHIND: Final = timedelta(
    seconds=2 * MAX_ACCESS_S
)  # an ended family is known until no access token of it is valid
FULL: Final = frozenset({str(Scope.ADMIN)})  # all that the person may: what is given where nothing less was asked for


class InvalidScope(ForetellError):
    """A scope that is none, or that is more than was given at the sign-in."""

    code = "invalid"

    def __init__(self, found: Iterable[str], allowed: Iterable[str]) -> None:
        detail = (
            f"Found {', '.join(sorted(found))[:200]}; expected only {', '.join(sorted(allowed))}, with spaces between."
        )
        super().__init__(f"scope: {detail}")
        self.faults = [Fault(attr="scope", code="unknown_scope", detail=detail)]


def anybody(user: User) -> None:
    """Let everybody ask."""


@transaction.atomic
def sign_in(*, user: User, scopes: Iterable[str] | None = None, now: datetime) -> TokenPair:
    """Begin a family for somebody who has just shown who they are; the tokens may do what the person may, within `scopes`.

    Raises
    ------
    InvalidScope
    """
    granted = _narrowed(scopes, FULL)
    user.refresh_from_db(fields=["token_generation"])  # a password that was hashed anew at this sign-in has raised it
    family = TokenFamily.objects.create(
        user=user, generation=user.token_generation, scopes=sorted(granted), started_at=now, expires_at=_end(now, now)
    )
    record(
        action="token.issued", target=("token", str(family.id)), name=user.username,
        after={"user": user.username, "scopes": family.scopes, "expires_at": family.expires_at},
    )  # fmt: skip
    return new_pair(family=family, user=user, scopes=granted, now=now)


def refresh(
    *, token: str, scopes: Iterable[str] | None = None, now: datetime, admit: Callable[[User], None] = anybody
) -> TokenPair:
    """Use a refresh token: return its successor, and a new access token.

    Parameters
    ----------
    admit
        Is asked, before the token is used, whether the person may ask at this moment; what it raises leaves the token as it is.

    Raises
    ------
    AuthenticationFailed
        for one that is none, over, of somebody whose access ended, or used before; in the last case its family has ended.
    InvalidScope
        for scopes that were not given at the sign-in; the token is not used.
    """
    shown = parse_token(token)
    with transaction.atomic():  # it is committed also where the answer is no, since then the family may have ended
        family = _presented(shown, now=now) if shown is not None else None
        if family is not None:
            admit(family.user)
        pair = _used(family, shown, scopes=scopes, now=now) if family is not None and shown is not None else None
    if pair is None:
        raise AuthenticationFailed
    return pair


@transaction.atomic
def revoke(*, token: str, now: datetime) -> None:
    """End the family of a token, refresh or access, for good; a text that is none, or not any more, changes nothing."""
    family = _shown_family(token, now=now)
    if family is not None:
        _end_family(family, reason="revoked", now=now)


@transaction.atomic
def end_all(*, user: User) -> None:
    """End all tokens of somebody, access tokens too, and all their browsers' sessions, everywhere within a second.

    A new password and the end of somebody's access do the same, whoever writes the row: a trigger raises the generation.
    """
    User.objects.filter(pk=user.pk).update(token_generation=F("token_generation") + 1)
    user.refresh_from_db(fields=["token_generation"])
    record(action="token.all_revoked", target=("user", str(user.pk)), name=user.username)


@transaction.atomic
def end_family(*, family: TokenFamily, now: datetime) -> None:
    """End one sign-in's tokens, for whoever acts; one that is over stays as it is."""
    found = _locked(family.pk)
    if found is not None and found.revoked_at is None:
        _write_end(found, reason="revoked", now=now)


def clean_up(*, now: datetime) -> int:
    """Rotate keys when it is due, and delete families that ended so long ago that no access token of them is valid."""
    rotate_if_due(now=now)
    ended_before = now - KEPT_BEHIND
    over = TokenFamily.objects.filter(expires_at__lt=ended_before) | TokenFamily.objects.filter(
        revoked_at__lt=ended_before
    )
    return over.delete()[0]


def _presented(shown: RefreshToken, *, now: datetime) -> TokenFamily | None:
    """Return the living family that a token is of, locked: of several that come with one token, one is the first."""
    family = _locked(shown.family_id)
    is_ours = is_right(shown, secret=bytes(family.secret) if family else new_secret())
    return family if family is not None and is_ours and _is_living(family, now) else None


def _used(family: TokenFamily, shown: RefreshToken, *, scopes: Iterable[str] | None, now: datetime) -> TokenPair | None:
    """Go on with the family, or end it where its token was used before."""
    n_behind = family.number - shown.number
    is_retry = n_behind == 1 and family.rotated_at is not None and now - family.rotated_at <= GRACE
    if n_behind > 0 and not is_retry:
        _end_family(family, reason="reused", now=now)
    if n_behind != 0 and not is_retry:  # a number that was never given out is of a database that was restored since
        return None
    granted = _narrowed(scopes, frozenset(family.scopes))
    if n_behind == 0:
        family.number, family.rotated_at = family.number + 1, now
        family.expires_at = _end(now, family.started_at)
        family.save(update_fields=["number", "rotated_at", "expires_at"])
    return new_pair(family=family, user=family.user, scopes=granted, now=now)


def _end_family(family: TokenFamily, *, reason: str, now: datetime) -> None:
    if family.revoked_at is not None:
        return
    actors.identify(
        user_id=str(family.user_id), name=family.user.username, credential=actors.Credential.TOKEN, credential_id=str(family.id)
    )  # fmt: skip
    _write_end(family, reason=reason, now=now)


def _write_end(family: TokenFamily, *, reason: str, now: datetime) -> None:
    family.revoked_at = now
    family.save(update_fields=["revoked_at"])
    record(
        action=f"token.{reason}", target=("token", str(family.id)), name=family.user.username,
        before={"revoked_at": None}, after={"revoked_at": now, "reason": reason},
    )  # fmt: skip


def _shown_family(token: str, *, now: datetime) -> TokenFamily | None:
    """Return the family that a token is of, locked, be the token a used one; None where we did not make it."""
    shown = parse_token(token)
    if shown is None:
        claims = signed_claims(token, now=now)
        family = None if claims is None else _locked(claims.sid)
        is_ours = family is not None and claims is not None and str(family.user_id) == claims.sub
    else:
        family = _locked(shown.family_id)
        is_ours = family is not None and is_right(shown, secret=bytes(family.secret))
    return family if is_ours else None


def _locked(family_id: UUID | str) -> TokenFamily | None:
    return TokenFamily.objects.select_for_update(of=("self",)).select_related("user").filter(pk=family_id).first()


def _is_living(family: TokenFamily, now: datetime) -> bool:
    is_over = family.revoked_at is not None or family.expires_at <= now
    return not is_over and family.user.is_active and family.user.token_generation == family.generation


def _narrowed(asked: Iterable[str] | None, granted: frozenset[str]) -> frozenset[str]:
    """Return the scopes that are asked for, which may be fewer than were granted, and not more."""
    allowed = frozenset(Scope.values) if Scope.ADMIN in granted else granted
    scopes = granted if asked is None else frozenset(asked)
    if not scopes or not scopes <= allowed:
        raise InvalidScope(scopes - allowed or {"none"}, allowed)
    return scopes


def _end(now: datetime, started_at: datetime) -> datetime:
    """Return until when the next refresh token holds: so many days without use, and never beyond the family's own."""
    return min(now + settings.REFRESH_TOKEN_LIFETIME, started_at + settings.TOKEN_FAMILY_LIFETIME)
