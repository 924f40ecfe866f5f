"""Where somebody is signed in: browsers, and programs with refresh tokens. One of them ends, or all."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from foretell.accounts.models import User
from foretell.accounts.tokens import services as tokens
from foretell.accounts.tokens.models import TokenFamily
from foretell.audit.recording import record
from foretell.errors import ForetellError
from foretell.tenants.sessions import SessionStore

BROWSER, TOKENS = "browser", "tokens"
NO_ADDRESS = "::"  # over a Unix socket a client has none
MAX_BROWSERS = 50


class SessionNotFound(ForetellError):
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session of yours. It may have ended.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One sign-in that still holds.

    kind : a browser's session, or a program's tokens.
    """

    id: str
    kind: str
    started_at: datetime
    address: str
    user_agent: str
    is_current: bool


def sessions_of(user: User, *, current_key: str | None = None, now: datetime) -> list[SignedIn]:
    """Return where somebody is signed in, the latest first."""
    browsers = [
        SignedIn(str(row.pk), BROWSER, row.created_at, "" if row.ip == NO_ADDRESS else row.ip, row.user_agent, row.session_key == current_key)
        for row in UserSession.objects.purge_and_list(user)
    ]  # fmt: skip
    families = TokenFamily.objects.filter(
        user=user, revoked_at=None, expires_at__gt=now, generation=user.token_generation
    )
    programs = [SignedIn(str(row.pk), TOKENS, row.started_at, "", "", False) for row in families]
    return sorted([*browsers, *programs], key=lambda one: one.started_at, reverse=True)


def end_session(*, user: User, id: str, now: datetime) -> None:
    """End one of somebody's sign-ins.

    Raises
    ------
    SessionNotFound
    """
    family = _family(user, id)
    if family is not None:
        tokens.end_family(family=family, now=now)
        return
    row = (
        UserSession.objects.filter(user=user, pk=int(id)).first()
        if id.isascii() and id.isdecimal() and len(id) <= 18
        else None
    )
    if row is None:
        raise SessionNotFound
    end_browser_session(row)


@transaction.atomic
def make_room(user: User) -> None:
    """End the oldest of very many: a program that signs in as a browser each minute fills no table, and slows no sign-in down."""
    for row in UserSession.objects.filter(user=user).order_by("-created_at", "-pk")[MAX_BROWSERS - 1 :]:
        end_browser_session(row)


@transaction.atomic
def end_browser_session(row: UserSession) -> None:
    row.end()
    record(action="session.ended", target=("session", str(row.user_id)), name=row.user.username)


@transaction.atomic
def end_all(*, user: User) -> None:
    """Sign somebody out everywhere: every browser, and every program that has tokens; keys stay.

    Security: what ends them is the raised generation, which sessions and tokens are held to; the rows are only tidied up.
    """
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    tokens.end_all(user=user)
    for key in keys:
        SessionStore().delete(key)
    UserSession.objects.filter(user=user).delete()
    record(
        action="session.all_ended", target=("session", str(user.pk)), name=user.username, after={"username": user.username, "sessions": len(keys)}
    )  # fmt: skip


def keep(request: HttpRequest, user: User) -> None:
    """Let the session at hand go on where all others have just ended, under another key."""
    user.refresh_from_db(fields=["password", "token_generation"])
    update_session_auth_hash(request, user)
    request.user = user
    UserSession.objects.create_from_request(request)


def end_others(*, request: HttpRequest, user: User) -> None:
    """Sign somebody out everywhere else."""
    with transaction.atomic():
        end_all(user=user)
        keep(request, user)


def forget_expired(*, now: datetime) -> int:
    """Delete sessions that are over, those of strangers who began to sign up among them, and take them off the lists."""
    deleted = Session.objects.filter(expire_date__lt=now).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return deleted


def forget_current(request: HttpRequest | None) -> None:
    """Take a browser that signs out off the list."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key is not None:
        UserSession.objects.filter(session_key=key).delete()


def _family(user: User, id: str) -> TokenFamily | None:
    try:
        identifier = UUID(id)
    except ValueError:
        return None
    return TokenFamily.objects.filter(user=user, pk=identifier, revoked_at=None, expires_at__gt=timezone.now()).first()
