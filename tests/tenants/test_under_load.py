"""Fifty threads and fifty tasks work for two tenants at once, while connections break and statements fail: no foreign row, ever.

The control takes the hardened backend out, and sees foreign rows within the same seconds.
"""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.signals import connection_created
from django.test import override_settings

from foretell.core.tenancy import use_public, use_tenant
from foretell.errors import ForetellError
from tests.cast import Cast, House

# A cursor whose choice of a tenant failed is left to the garbage collector, by Django as well.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
THREADS = TASKS = 50
SHORT_S, LONG_S = 1.2, 60.0
NAMES = "SELECT username FROM accounts_user ORDER BY username"
Read = Callable[[], list[str]]


def names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(NAMES)
        return [name for (name,) in cursor.fetchall()]


def read_in_transaction() -> list[str]:
    with transaction.atomic():
        return names()


def read_behind_a_savepoint() -> list[str]:
    with transaction.atomic():
        with suppress(ZeroDivisionError), transaction.atomic():
            names()
            raise ZeroDivisionError
        return names()


def read_bit_by_bit() -> list[str]:
    from foretell.accounts.models import User

    return [user.username for user in User.objects.order_by("username").iterator(chunk_size=1)]


def read_after_an_error() -> list[str]:
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return names()


def read_after_the_server_hung_up() -> list[str]:
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    return names()


READS: list[tuple[Read, int]] = [
    (names, 12), (read_in_transaction, 6), (read_behind_a_savepoint, 3), (read_bit_by_bit, 3), (read_after_an_error, 3),
    (read_after_the_server_hung_up, 1),
]  # fmt: skip
WEIGHTED = [read for read, weight in READS for _ in range(weight)]


class Tally:
    """What was read: right, foreign, or not at all."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, house: House, read: Read) -> None:
        try:
            found = read()
        except (DatabaseError, ForetellError, psycopg.Error):
            outcome = "failed"
        else:
            outcome = "right" if found == sorted(house.people) else "foreign"
        with self._lock:
            self.outcomes[outcome] += 1


@pytest.fixture
def injected_failures(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred choices of a tenant one is cancelled by the server, as a statement timeout would do it."""
    execute = psycopg.Cursor.execute

    def sometimes_failing(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string(self)
        if "search_path" in text and random.random() < 0.01:  # noqa: S311  no secret
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", sometimes_failing)


def one_turn(tally: Tally, houses: tuple[House, House], turn: int, chance: random.Random) -> None:
    house = houses[turn % 2]
    try:
        with use_tenant(house.tenant):
            tally.note(house, chance.choice(WEIGHTED))
            if chance.random() < 0.3:  # another tenant's, in the middle of this one's
                other = houses[(turn + 1) % 2]
                with use_tenant(other.tenant):
                    tally.note(other, names)
                tally.note(house, names)
    finally:
        with suppress(DatabaseError, psycopg.Error):
            connection.close()  # back to the pool, for whoever is next


def by_threads(cast: Cast, seconds: float) -> Counter[str]:
    tally, until = Tally(), time.monotonic() + seconds

    def take_turns(number: int) -> None:
        chance, turn = random.Random(number), number  # noqa: S311
        while time.monotonic() < until:
            one_turn(tally, (cast.acme, cast.globex), turn, chance)
            turn += 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(take_turns, range(THREADS)))
    return tally.outcomes


def by_tasks(cast: Cast, seconds: float) -> Counter[str]:
    tally, until = Tally(), time.monotonic() + seconds

    async def take_turns(number: int) -> None:
        chance, turn = random.Random(number), number  # noqa: S311
        while time.monotonic() < until:
            await sync_to_async(one_turn, thread_sensitive=False)(tally, (cast.acme, cast.globex), turn, chance)
            turn += 1

    async def all_of_them() -> None:
        await asyncio.gather(*(take_turns(number) for number in range(TASKS)))

    asyncio.run(all_of_them())
    return tally.outcomes


def by_both(cast: Cast, seconds: float) -> Counter[str]:
    """Let the threads and the tasks work at the same time, and so for the same connections."""
    with ThreadPoolExecutor(2) as pool:
        halves = [pool.submit(work, cast, seconds) for work in (by_threads, by_tasks)]
        return halves[0].result() + halves[1].result()


def no_foreign_row(outcomes: Counter[str]) -> None:
    assert outcomes["foreign"] == 0, outcomes
    assert outcomes["right"] > 100, outcomes
    assert outcomes["failed"] > 0, outcomes  # else nothing was injected


@pytest.mark.usefixtures("injected_failures")
@pytest.mark.parametrize("work", [by_threads, by_tasks])
def test_no_foreign_row_is_read(cast: Cast, work: Callable[[Cast, float], Counter[str]]) -> None:
    no_foreign_row(work(cast, SHORT_S))


@pytest.mark.usefixtures("injected_failures")
@pytest.mark.parametrize("work", [by_threads, by_tasks])
def test_no_foreign_row_is_read_without_roles_either(cast: Cast, work: Callable[[Cast, float], Counter[str]]) -> None:
    """The search path alone is enough: roles are the second line."""
    with override_settings(TENANT_ROLES="off"):
        no_foreign_row(work(cast, SHORT_S))


@pytest.mark.long
@pytest.mark.usefixtures("injected_failures")
def test_no_foreign_row_is_read_for_a_long_time(cast: Cast) -> None:
    no_foreign_row(by_both(cast, LONG_S))


@contextmanager
def stock_backend() -> Iterator[None]:
    """Put django-tenants' own backend in the place of ours, in every thread; it takes its tenant from `use_tenant` all the same."""
    from django_tenants.postgresql_backend.base import DatabaseWrapper

    from foretell.core.tenancy import active

    class Stock(DatabaseWrapper):  # type: ignore[misc]  # django-tenants is untyped
        def _cursor(self, name: Any = None) -> Any:
            if (tenant := active()) is not None and tenant.schema_name != self.schema_name:
                self.set_schema(str(tenant.schema_name))
            return super()._cursor(name)

    create = connections.create_connection

    def stock(alias: str) -> Any:
        return Stock(connections.settings[alias], alias)

    connections.create_connection = stock  # type: ignore[method-assign]
    hidden = connections["default"]
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.create_connection = create  # type: ignore[method-assign]
        connections["default"] = hidden


@pytest.mark.usefixtures("injected_failures")
def test_control_with_the_stock_backend_foreign_rows_are_read(cast: Cast) -> None:
    with stock_backend():
        outcomes = by_threads(cast, SHORT_S)

    assert outcomes["foreign"] > 0, outcomes


def test_nobody_listens_to_new_connections_with_a_tenant_of_their_own(cast: Cast) -> None:
    """What runs when a connection is made runs for whoever asked first: it must not depend on the tenant."""
    receivers = [receiver for _, receiver, *_ in connection_created.receivers]

    assert receivers == []
    with use_public():
        connection.ensure_connection()
