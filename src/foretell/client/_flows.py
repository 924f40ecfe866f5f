"""What a call does, step by step, without doing it: generators that yield requests and pauses and are sent replies.

One body serves both clients: `Client` and `AsyncClient` only carry out the steps, each in its own way.
"""

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeAlias, TypeVar

from foretell.client import _replies as replies
from foretell.client import _requests as requests
from foretell.client._errors import BuildFailed, BuildTimedOut, ConnectionFailed, NotFound, UnexpectedReply
from foretell.client._replies import Reply
from foretell.client._requests import Request
from foretell.client._resources import Alias, Prediction, Predictions, Version

MAX_ATTEMPTS = 3
FIRST_DELAY_S = 0.2
MAX_RETRY_AFTER_S = 30.0
POLL_FIRST_S = 0.05
POLL_MOST_S = 1.0
PAGE_SIZE = "200"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    value: T


Step: TypeAlias = Request | Pause
Flow: TypeAlias = Generator[Step, Any, T]
Outcome: TypeAlias = (
    Reply | ConnectionFailed | None
)  #: of a step: what came back, or None after a pause and at the start
OnState = Callable[[Version], None]


def advance(flow: Flow[T], outcome: Outcome) -> Step | Done[T]:
    """Tell a flow how its last step went; return its next one, or its result."""
    try:
        return flow.throw(outcome) if isinstance(outcome, ConnectionFailed) else flow.send(outcome)
    except StopIteration as done:
        return Done(done.value)


def call(request: Request, read: Callable[[Reply], T]) -> Flow[T]:
    """Send one request and read its reply."""
    return read((yield from exchange(request)))


def exchange(request: Request) -> Flow[Reply]:
    """Send a request, and again where nothing can happen twice: it never left, or it is safe to repeat."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        is_last = attempt == MAX_ATTEMPTS
        delay = _backoff(attempt)
        try:
            reply: Reply = yield request
        except ConnectionFailed as error:
            if is_last or not (error.is_unsent or request.is_repeatable):
                raise
        else:
            if is_last or not _is_worth_another(request, reply):
                return replies.checked(reply)
            delay = replies.retry_after_s(reply) or delay
        yield Pause(delay)
    raise AssertionError("the last attempt returns or raises")


def every(
    request: Request, read: Callable[[Reply], tuple[list[T], Mapping[str, str] | None]], *, limit: int | None = None
) -> Flow[list[T]]:
    """Walk through all pages of a list, or as many as have `limit` items."""
    found: list[T] = []
    query: Mapping[str, str] | None = {**request.params, "page_size": PAGE_SIZE}
    while query is not None and (limit is None or len(found) < limit):
        page, following = yield from call(requests.page(query, of=request), read)
        if following == query:
            raise UnexpectedReply("A page of the list names itself as the next one.")
        found += page
        query = following
    return found[:limit]


def promote(name: str, number: int, alias: str, *, allow_signature_change: bool) -> Flow[Alias]:
    """Move an alias only from where it was seen, so that nobody's move is undone unseen."""
    try:
        seen = yield from exchange(requests.alias(name, alias))
        etag = seen.headers.get("etag")
    except NotFound:
        etag = None  # a new alias; where it is the model that is not there, the next reply says so
    request = requests.move_alias(name, alias, number, if_match=etag, allow_signature_change=allow_signature_change)
    return (yield from call(request, replies.alias))


def wait_until_built(name: str, number: int, *, timeout_s: float, on_state: OnState | None) -> Flow[Version]:
    """Ask until the version is ready.

    Raises
    ------
    BuildFailed
        in the words of whoever built it.
    BuildTimedOut
        it is still being built after `timeout_s`.
    """
    deadline, delay = time.monotonic() + timeout_s, POLL_FIRST_S
    while True:
        version = yield from call(requests.version(name, number), replies.version)
        if on_state is not None:
            on_state(version)
        if version.is_ready:
            return version
        if version.has_failed:
            raise _build_failure(version)
        if time.monotonic() > deadline:
            raise BuildTimedOut(_still_building(version, timeout_s))
        yield Pause(delay)
        delay = min(delay * 1.5, POLL_MOST_S)


def predict(name: str, rows: Any, *, alias: str | None, version: int | None) -> Flow[Prediction | Predictions]:
    return (yield from call(requests.predict(name, rows, alias=alias, version=version), replies.prediction))


def predict_table(name: str, table: bytes, *, alias: str | None, version: int | None) -> Flow[Predictions]:
    request = requests.predict_csv(name, table, alias=alias, version=version, accept="application/json")
    return (yield from call(request, replies.predictions))


def _is_worth_another(request: Request, reply: Reply) -> bool:
    if reply.status != HTTPStatus.SERVICE_UNAVAILABLE or not request.is_repeatable:
        return False
    asked_s = replies.retry_after_s(reply)
    return asked_s is not None and asked_s <= MAX_RETRY_AFTER_S


def _backoff(attempt: int) -> float:
    """Return 0.2, 0.4, 0.8 … s, spread so that many clients do not come back in one step."""
    spread = random.uniform(0.8, 1.2)  # noqa: S311  no secret
    return FIRST_DELAY_S * spread * float(2 ** (attempt - 1))


def _build_failure(version: Version) -> BuildFailed:
    reason = version.reason
    return BuildFailed(
        f"{version.model} version {version.version} failed: {reason.message if reason else 'no reason was given.'}",
        code=reason.code if reason else None,
        model=version.model,
        version=version.version,
    )


def _still_building(version: Version, timeout_s: float) -> str:
    waiting = f" The server says: {version.reason.message}" if version.reason else " Is a worker running?"
    return (
        f"{version.model} version {version.version} is {version.state} after {timeout_s:g} s; it goes on without us."
        f"{waiting} `foretell show {version.model}:{version.version}` tells how it ends."
    )
