"""What somebody does who has the database: past the triggers, in a transaction that the test takes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from foretell.audit.installation.models import ChainHead
from foretell.audit.models import Entry
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public
from tests.cast import House


@contextmanager
def chain_of(house: House, *, rows: int = 6) -> Iterator[list[Entry]]:
    """Work in a house whose chain has these rows, and no others; whatever is done to them is undone at the end."""
    with house.inside(), as_owner(), transaction.atomic():
        _forget(house)
        for number in range(rows):
            record(action="model.changed", target=("model", "wine"), after={"description": f"number {number}"})
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET LOCAL session_replication_role = replica")
        yield list(Entry.objects.order_by("position"))
        transaction.set_rollback(True)


def _forget(house: House) -> None:
    """Begin anew: what other tests left there is none of this one's."""
    execute("SET LOCAL session_replication_role = replica")
    execute("DELETE FROM audit_entry")
    with use_public():
        ChainHead.objects.filter(schema_name=house.tenant.schema_name).delete()
    execute("SET LOCAL session_replication_role = origin")


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
