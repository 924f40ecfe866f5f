"""Letting operators in: a link, made at the command line; a session, opened by it, once."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from foretell.accounts.limiting import limiter
from foretell.accounts.login_limits import ADDRESS, network_of
from foretell.admin.operators.models import OperatorSession
from foretell.audit import actors
from foretell.audit.actors import Credential
from foretell.audit.recording import record
from foretell.core.tenancy import use_public
from foretell.errors import ForetellError
from foretell.limits import Throttled, claim_for

LINK_LIFETIME = timedelta(minutes=10)
SESSION_LIFETIME = timedelta(hours=1)
KEPT = timedelta(days=30)


class LinkOver(ForetellError):
    """One that was used, is too old, was taken back, or never was: nobody is told which."""

    code = "link_over"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This link was used, is too old, or was taken back. `foretell operator link` makes another one."
        )


def make_link(*, operator: str, now: datetime, lifetime: timedelta = LINK_LIFETIME) -> tuple[OperatorSession, str]:
    """Return a new link's row, and its secret, which nobody can show again."""
    secret = secrets.token_urlsafe(32)
    with use_public(), transaction.atomic():
        OperatorSession.objects.filter(link_expires_at__lt=now - KEPT).delete()
        made = OperatorSession.objects.create(
            operator=operator[:200], link_digest=digest_of(secret), link_expires_at=now + lifetime
        )
        record(
            action="operator.link_made", target=_target(made), name=made.operator,
            after={"operator": made.operator, "expires_at": made.link_expires_at},
        )  # fmt: skip
    return made, secret


def enter(*, secret: str, client: str, now: datetime) -> tuple[OperatorSession, str]:
    """Open the session of a link, and return it with what the browser keeps.

    Raises
    ------
    LinkOver
        Race condition: the row is held, so that one link opens one session.
    Throttled
        before anything is looked up, after too many from one address.
    """
    _check_limit(client)
    with use_public(), transaction.atomic():
        rows = OperatorSession.objects.enterable(now).select_for_update()
        found = rows.filter(link_digest=digest_of(secret)).first()
        if found is None:
            raise LinkOver
        kept = secrets.token_urlsafe(32)
        found.digest, found.entered_at, found.expires_at = digest_of(kept), now, now + SESSION_LIFETIME
        found.save(update_fields=["digest", "entered_at", "expires_at", "updated_at"])
        identify(found, Credential.LINK)
        record(
            action="operator.entered", target=_target(found), name=found.operator,
            after={"operator": found.operator, "expires_at": found.expires_at},
        )  # fmt: skip
    return found, kept


def session_of(kept: str, *, now: datetime) -> OperatorSession | None:
    """Return the open session that a browser shows; None where there is none."""
    if not kept:
        return None
    with use_public():
        return OperatorSession.objects.open(now).filter(digest=digest_of(kept)).first()


def end(*, session: OperatorSession, now: datetime) -> None:
    with use_public(), transaction.atomic():
        if OperatorSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now):
            record(action="operator.ended", target=_target(session), name=session.operator, after={"state": "ended"})


def end_all(*, now: datetime) -> int:
    """End every session, and take back every link; return how many there were."""
    with use_public(), transaction.atomic():
        left = OperatorSession.objects.enterable(now) | OperatorSession.objects.open(now)
        found = list(left.select_for_update().order_by("pk"))
        for session in found:
            end(session=session, now=now)
    return len(found)


def identify(session: OperatorSession, credential: Credential) -> None:
    """Say to the audit who acts."""
    actors.identify(user_id="", name=session.operator, credential=credential, credential_id=str(session.pk))


def digest_of(secret: str) -> str:
    """Return what is stored of a secret. It has 256 bits of chance, so that its digest needs neither salt nor a slow hash."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _check_limit(client: str) -> None:
    if not client:  # as over a Unix socket: not all of its clients are one
        return
    decision = limiter().take((claim_for("", "sign-in address", network_of(client), ADDRESS),))
    if decision is not None and not decision.allowed:
        raise Throttled(decision)


def _target(session: OperatorSession) -> tuple[str, str]:
    return "operator", str(session.pk)
