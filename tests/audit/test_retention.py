"""Old rows go only all together, by a command that is recorded; what stays can still be verified."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from foretell.audit.models import Entry
from foretell.audit.retention import prune
from foretell.audit.verifying import verify_chain
from tests.audit.tampering import chain_of, execute
from tests.cast import House


@pytest.fixture
def middle() -> datetime:
    return datetime(2026, 5, 1, tzinfo=UTC)


def aged(rows: list[Entry], until: datetime) -> None:
    """Let all rows up to the third be older than `until`. Their digests do not fit any more, which those who stay do not mind."""
    execute("UPDATE audit_entry SET at = %s WHERE position <= %s", until - timedelta(days=1), rows[2].position)
    execute("SET LOCAL session_replication_role = origin")


def test_what_is_left_is_a_whole_chain_with_a_row_that_says_who_pruned_it(acme: House, middle: datetime) -> None:
    with chain_of(acme) as rows:
        aged(rows, middle)
        execute("SET CONSTRAINTS ALL IMMEDIATE")

        pruned = prune(before=middle)

        found, left = verify_chain(anchor=None), Entry.objects.order_by("position")
        assert (pruned.position, left[0].position) == (rows[2].position, rows[3].position)
        assert found.fault is None
        note = Entry.objects.order_by("-position")[0]
        assert (note.action, note.after["position"], note.after["digest"]) == (
            "audit.pruned",
            rows[2].position,
            rows[2].digest,
        )


def test_pruning_again_changes_nothing(acme: House, middle: datetime) -> None:
    with chain_of(acme) as rows:
        aged(rows, middle)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        prune(before=middle)
        count = Entry.objects.count()

        again = prune(before=middle)

        assert (again.rows, Entry.objects.count()) == (0, count)


def test_pruning_that_was_interrupted_goes_on(acme: House, middle: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    with chain_of(acme) as rows:
        aged(rows, middle)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        monkeypatch.setattr("foretell.audit.retention._delete", lambda position: 0)
        prune(before=middle)
        monkeypatch.undo()

        in_between, rest = verify_chain(anchor=None), prune(before=middle)

        assert in_between.fault is None
        assert rest.rows >= 3


def test_a_row_that_is_not_to_go_cannot_be_deleted_beside_those_that_are(acme: House, middle: datetime) -> None:
    from django.db import ProgrammingError, transaction

    with chain_of(acme) as rows:
        aged(rows, middle)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        prune(before=middle)

        with pytest.raises(ProgrammingError, match="DELETE of"), transaction.atomic():
            Entry.objects.filter(pk=rows[4].pk).delete()


def test_nothing_is_pruned_where_nothing_is_that_old(acme: House) -> None:
    with acme.inside():
        count = Entry.objects.count()

        pruned = prune(before=timezone.now() - timedelta(days=36_500))

        assert (pruned.rows, Entry.objects.count()) == (0, count)
        assert not connection.in_atomic_block
