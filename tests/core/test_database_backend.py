"""No code reads another tenant's rows: not by forgetting, not in another thread, not when the database fails in between.

The controls run the stock backend of django-tenants over the same database, and see the foreign rows.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async

from foretell.core.database_backend.base import UnexpectedSchemaName
from foretell.core.tenancy import NoTenant, activate, current_tenant, use_public, use_tenant
from tests.cast import Cast, House

NAMES = "SELECT username FROM accounts_user ORDER BY username"


def names() -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(NAMES)
        return [name for (name,) in cursor.fetchall()]


def names_of(house: House) -> list[str]:
    return sorted(house.people)


@contextmanager
def stock_connection() -> Iterator[Any]:
    """Connect as django-tenants does by itself."""
    from django.db import connection
    from django_tenants.postgresql_backend.base import DatabaseWrapper

    options = {key: value for key, value in connection.settings_dict["OPTIONS"].items() if key != "pool"}
    stock = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias="default")
    try:
        yield stock
    finally:
        stock.close()


@pytest.fixture
def failing_path(monkeypatch: pytest.MonkeyPatch, globex: House) -> None:
    """Let the server cancel each choice of globex's schema, as a statement timeout would."""
    execute = psycopg.Cursor.execute

    def failing(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string(self)
        if "search_path" in text and globex.tenant.schema_name in text:
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", failing)


def test_each_tenant_reads_its_own_rows(cast: Cast) -> None:
    with use_tenant(cast.acme.tenant):
        assert names() == names_of(cast.acme)
        with use_tenant(cast.globex.tenant):
            assert names() == names_of(cast.globex)
        assert names() == names_of(cast.acme)


def test_without_a_tenant_every_query_fails(cast: Cast) -> None:
    from foretell.tenants.models import Tenant

    with pytest.raises(NoTenant):
        names()
    with pytest.raises(NoTenant):
        Tenant.objects.count()
    with use_public():
        assert Tenant.objects.count() >= 2


def test_the_public_schema_is_no_tenant(cast: Cast) -> None:
    with use_public(), pytest.raises(NoTenant):
        current_tenant()


def test_a_tenants_table_is_not_to_be_had_in_public(cast: Cast) -> None:
    from django.db import ProgrammingError

    with use_public(), pytest.raises(ProgrammingError):
        names()


def test_a_path_that_cannot_be_set_is_an_error_and_not_the_rows_of_before(cast: Cast, failing_path: None) -> None:
    from django.db import OperationalError

    with use_tenant(cast.acme.tenant):
        assert names() == names_of(cast.acme)
    with use_tenant(cast.globex.tenant), pytest.raises(OperationalError):
        names()


def test_control_the_stock_backend_reads_the_rows_of_before(cast: Cast, failing_path: None) -> None:
    with stock_connection() as stock:
        stock.set_schema(cast.acme.tenant.schema_name)
        with stock.cursor() as cursor:
            cursor.execute(NAMES)
        stock.set_schema(cast.globex.tenant.schema_name)
        with stock.cursor() as cursor:
            cursor.execute(NAMES)
            read = [name for (name,) in cursor.fetchall()]

    assert read == names_of(cast.acme)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "public.x",
        "PUBLIC",
        "t_",
        "t_A",
        "T_a",
        "information_schema",
        "pg_catalog",
        't_a"; --',
        "t_a\n",
        "",
        "t_" + "a" * 41,
    ],
)
def test_a_schema_that_we_never_made_is_refused(database: None, name: str) -> None:
    with use_tenant(SimpleNamespace(schema_name=name)), pytest.raises(UnexpectedSchemaName):
        names()


def test_a_new_thread_starts_with_no_tenant(cast: Cast) -> None:
    found: list[BaseException] = []

    def look() -> None:
        try:
            names()
        except NoTenant as err:
            found.append(err)

    with use_tenant(cast.acme.tenant):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert len(found) == 1


def test_a_thread_whose_first_query_is_a_tenants_reads_that_tenants_rows(cast: Cast) -> None:
    found: list[list[str]] = []

    def look() -> None:
        from django.db import connection

        with use_tenant(cast.globex.tenant):
            found.append(names())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert found == [names_of(cast.globex)]


def test_control_with_the_stock_backend_a_new_connection_starts_in_public(cast: Cast) -> None:
    with stock_connection() as stock, stock.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ("public",)


def test_a_rolled_back_savepoint_leaves_the_right_path(cast: Cast) -> None:
    from django.db import transaction

    with use_tenant(cast.acme.tenant), transaction.atomic():
        with use_tenant(cast.globex.tenant), transaction.atomic():
            assert names() == names_of(cast.globex)
            transaction.set_rollback(True)
        assert names() == names_of(cast.acme)


def reads_on_a_kept_cursor(cast: Cast, connection: Any, choose: Callable[[Any], object]) -> list[list[str]]:
    """Read acme's names, let other code read globex's, and read again on the cursor that was acme's."""
    reads = []
    choose(cast.acme.tenant)
    with connection.cursor() as kept, connection.cursor() as another:
        for house, cursor in ((cast.acme, kept), (cast.globex, another), (cast.acme, kept)):
            choose(house.tenant)
            cursor.execute(NAMES)
            reads.append([name for (name,) in cursor.fetchall()])
    return reads


def test_a_cursor_that_is_kept_follows_the_tenant(cast: Cast) -> None:
    from django.db import connection

    with use_public():  # and back to none at the end
        reads = reads_on_a_kept_cursor(cast, connection, activate)

    assert reads == [names_of(cast.acme), names_of(cast.globex), names_of(cast.acme)]


def test_control_with_the_stock_backend_a_kept_cursor_reads_the_rows_of_another(cast: Cast) -> None:
    with stock_connection() as stock:
        reads = reads_on_a_kept_cursor(cast, stock, stock.set_tenant)

    assert reads != [names_of(cast.acme), names_of(cast.globex), names_of(cast.acme)]


def test_a_cursor_that_outlives_its_tenant_reads_nothing(cast: Cast) -> None:
    from django.db import connection

    with use_tenant(cast.acme.tenant):
        kept = connection.cursor()
    with kept, pytest.raises(NoTenant):
        kept.execute(NAMES)


def test_a_kept_cursor_reads_right_after_a_transaction_that_was_rolled_back(cast: Cast) -> None:
    from django.db import connection, transaction

    with use_tenant(cast.acme.tenant), connection.cursor() as kept:
        kept.execute(NAMES)
        with use_tenant(cast.globex.tenant), transaction.atomic():
            assert names() == names_of(cast.globex)
            transaction.set_rollback(True)
        kept.execute(NAMES)
        assert [name for (name,) in kept.fetchall()] == names_of(cast.acme)


def test_rows_that_are_read_bit_by_bit_stay_one_tenants(cast: Cast) -> None:
    from foretell.accounts.models import User

    with use_tenant(cast.acme.tenant):
        people = User.objects.order_by("username").iterator(chunk_size=1)
        read = [next(people).username]
        with use_tenant(cast.globex.tenant):
            assert names() == names_of(cast.globex)
        read += [user.username for user in people]

    assert read == names_of(cast.acme)


def test_in_a_failed_transaction_the_first_error_is_the_one_that_is_told(cast: Cast) -> None:
    from django.db import InternalError, ProgrammingError, connection, transaction

    def fail_twice() -> None:
        with use_tenant(cast.acme.tenant), transaction.atomic(), connection.cursor() as cursor:
            with pytest.raises(ProgrammingError):
                cursor.execute("SELECT * FROM nothing_of_the_kind")
            cursor.execute(NAMES)

    with pytest.raises(InternalError, match="current transaction is aborted"):
        fail_twice()


def test_fifty_threads_that_take_turns_never_read_a_foreign_row(cast: Cast) -> None:
    from django.db import connection

    until = time.monotonic() + 3

    def take_turns(number: int) -> int:
        reads = 0
        while time.monotonic() < until:
            house = (cast.acme, cast.globex)[(number + reads) % 2]
            try:
                with use_tenant(house.tenant):
                    assert names() == names_of(house)
            finally:
                connection.close()  # back to the pool, for whoever of the others is next
            reads += 1
        return reads

    with ThreadPoolExecutor(50) as pool:
        reads = list(pool.map(take_turns, range(50)))

    assert min(reads) >= 1
    assert sum(reads) > 500


def test_coroutines_that_take_turns_in_one_thread_pool_never_read_a_foreign_row(cast: Cast) -> None:
    def read_and_give_back() -> list[str]:
        from django.db import connection

        try:
            return names()
        finally:
            connection.close()

    async def take_turns(number: int) -> None:
        house = (cast.acme, cast.globex)[number % 2]
        with use_tenant(house.tenant):
            for _ in range(5):
                assert await sync_to_async(read_and_give_back, thread_sensitive=False)() == names_of(house)
                await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(take_turns(number) for number in range(50)))

    asyncio.run(all_of_them())
