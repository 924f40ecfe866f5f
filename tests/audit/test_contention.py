"""The head of a chain is locked last: whoever holds it waits for nobody, so that no two changes lock each other out."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection, transaction

from foretell.accounts.models import User
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public
from foretell.registry.models import RegisteredModel
from foretell.tenants.deleting import delete_tenant
from tests.audit.tampering import execute
from tests.cast import House, open_house

PATIENCE_S = 20.0


@pytest.fixture
def initech(database: None) -> Iterator[House]:
    """A tenant whose triggers may be changed: it is deleted afterwards."""
    house = open_house("initech", {"peter": "owner"})
    yield house
    delete_tenant(tenant=house.tenant)


def test_a_foreign_key_that_is_checked_at_the_commit_does_not_wait_with_the_chain_in_hand(initech: House) -> None:
    assert collided(initech) == []


def test_control_a_head_that_is_locked_in_the_order_of_the_statements_deadlocks(initech: House) -> None:
    with initech.inside(), as_owner():
        execute("DROP TRIGGER foretell_last ON audit_entry")
        execute(
            "CREATE CONSTRAINT TRIGGER foretell_last AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION public.foretell_audit_link()"
        )

    assert [type(err) for err in collided(initech)] == [OperationalError]


def collided(house: House) -> list[Exception]:
    """Let one change refer to somebody whom another one holds, and both commit; return what went wrong."""
    failed: list[Exception] = []
    has_referred, is_held = threading.Event(), threading.Event()

    def referring() -> None:
        with transaction.atomic():
            record(action="model.created", target=("model", "wine"))
            RegisteredModel.objects.create(name="wine", created_by=User.objects.get(username="peter"))
            has_referred.set()
            assert is_held.wait(PATIENCE_S)

    def holding() -> None:
        assert has_referred.wait(PATIENCE_S)
        with transaction.atomic():
            User.objects.select_for_update().get(username="peter")
            record(action="user.changed", target=("user", "peter"))
            is_held.set()
            wait_until_somebody_waits()

    def guarded(change: Callable[[], None]) -> None:
        with house.inside():
            try:
                change()
            except OperationalError as err:
                failed.append(err)
            finally:
                connection.close()

    threads = [threading.Thread(target=guarded, args=(change,)) for change in (referring, holding)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return failed


def wait_until_somebody_waits() -> None:
    ends_at = time.monotonic() + PATIENCE_S
    with use_public(), connection.cursor() as cursor:
        while time.monotonic() < ends_at:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.01)
