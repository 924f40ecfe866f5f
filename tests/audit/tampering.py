"""What somebody does who has the database: past the triggers, in a transaction that the test takes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from foretell.audit.models import Entry
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner
from tests.cast import House


@contextmanager
def chain_of(house: House, *, rows: int = 6) -> Iterator[list[Entry]]:
    """Work in a house whose chain has some more rows, which are yielded; whatever is done to them is undone at the end."""
    with house.inside(), as_owner(), transaction.atomic():
        first = Entry.objects.count()
        for number in range(rows):
            record(action="model.changed", target=("model", "wine"), after={"description": f"number {number}"})
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET LOCAL session_replication_role = replica")
        yield list(Entry.objects.order_by("position")[first:])
        transaction.set_rollback(True)


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
