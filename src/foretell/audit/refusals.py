"""Writes that were refused for lack of permission: nothing was changed, and the audit says that it was tried.

They are written down behind the refused transaction, in one of their own. Somebody who tries without end does not fill the audit: of
each minute a few refusals have a row, the rest are counted, and the next row says how many they were.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from foretell.audit.actors import current_actor
from foretell.audit.models import RefusalCount
from foretell.audit.recording import record

log = structlog.get_logger(__name__)

PER_MINUTE: Final = 20  # rows about one actor's refusals
DENIED: Final = "permission.denied"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody is about to do to what."""

    action: str
    target: tuple[str, str]
    is_recorded: bool = True  #: False: it has a log of its own, as predictions have


_attempt: ContextVar[Attempt | None] = ContextVar("foretell_attempt", default=None)


@contextmanager
def attempts() -> Iterator[None]:
    """Forget, at the end of a request, what was attempted in it."""
    token = _attempt.set(None)
    try:
        yield
    finally:
        _attempt.reset(token)


def attempting(action: str, target: tuple[str, str], *, is_recorded: bool = True) -> None:
    """Say what the request at hand is about to do; where it is refused, that is what was tried."""
    _attempt.set(Attempt(action, target, is_recorded))


def write_down(request: HttpRequest, status: int) -> None:
    """Write down that somebody known was refused a write; the refusal itself stands, whether or not it can be written down."""
    attempt = _attempt.get()
    if status != HTTPStatus.FORBIDDEN or request.method in SAFE or attempt is None or not attempt.is_recorded:
        return
    try:
        refused(attempt, method=request.method or "", route=_route(request), now=timezone.now())
    except DatabaseError:
        log.exception("a refusal could not be written down", action=attempt.action, target=attempt.target)


@transaction.atomic
def refused(attempt: Attempt, *, method: str, route: str, now: datetime) -> None:
    """Give a refusal its row, or, beyond so many a minute, count it."""
    actor = current_actor()
    if (count := _counted(actor.user_id, now)) > PER_MINUTE:
        return
    after: dict[str, Any] = {"action": attempt.action, "method": method, "route": route}
    if count == 1 and (not_written := _forget_before(now, actor.user_id)):
        after["not_written"] = not_written
    record(action=DENIED, target=attempt.target, after=after)


@transaction.atomic
def write_down_counts(*, now: datetime) -> int:
    """Give what was only counted its rows, one for each actor, where no later refusal did it; return how many."""
    behind = RefusalCount.objects.filter(minute__lt=_minute(now), n_refusals__gt=PER_MINUTE)
    actors = sorted(set(behind.values_list("actor_id", flat=True)))
    for actor_id in actors:
        record(action=DENIED, target=("user", actor_id), after={"not_written": _forget_before(now, actor_id)})
    RefusalCount.objects.filter(minute__lt=_minute(now), n_refusals__lte=PER_MINUTE).delete()
    return len(actors)


def _counted(actor_id: str, now: datetime) -> int:
    """Return the how manieth refusal of this minute it is; one statement, so that no two are the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_refusalcount AS counted (actor_id, minute, n_refusals) VALUES (%s, %s, 1) "
            "ON CONFLICT (actor_id, minute) DO UPDATE SET n_refusals = counted.n_refusals + 1 RETURNING n_refusals",
            [actor_id, _minute(now)],
        )
        (count,) = cursor.fetchone()
    return int(count)


def _forget_before(now: datetime, actor_id: str) -> int:
    """Return how many refusals of earlier minutes have no row, and count them no longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM audit_refusalcount WHERE actor_id = %s AND minute < %s RETURNING n_refusals) "
            "SELECT coalesce(sum(greatest(n_refusals - %s, 0)), 0) FROM gone",
            [actor_id, _minute(now), PER_MINUTE],
        )
        (total,) = cursor.fetchone()
    return int(total)


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match is not None else ""
