"""Whoever changes, removes, swaps, forges or cuts off a row of the audit is found out, and told at which row."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from foretell.audit.anchors import Anchor
from foretell.audit.content import content_digest, link_digest, seal
from foretell.audit.installation.models import ChainHead
from foretell.audit.models import Entry
from foretell.audit.recording import record
from foretell.audit.verifying import Verified, verify_chain
from foretell.core.tenancy import use_public
from tests.audit.tampering import chain_of, execute
from tests.cast import House


def verified(anchor: Anchor | None = None) -> Verified:
    return verify_chain(anchor=anchor)


def test_control_a_chain_that_nobody_touched_holds_to_its_end(acme: House) -> None:
    with chain_of(acme) as rows:
        found = verified()

    assert found.fault is None
    assert (found.position, found.digest) == (rows[-1].position, rows[-1].digest)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("after", '{"description": "something else"}'), ("before", "{}"), ("action", "model.created"), ("target_id", "beer"),
        ("actor_name", "mallory"), ("actor_id", "x"), ("at", "2001-01-01T00:00:00Z"), ("credential", "cli"), ("face", "page"),
        ("address", "192.0.2.9"), ("request_id", "r"), ("credential_id", "x"), ("target_name", "x"), ("target_kind", "alias"),
    ],
)  # fmt: skip
def test_a_row_that_says_something_else_is_named(acme: House, column: str, value: str) -> None:
    with chain_of(acme) as rows:
        execute(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, rows[2].pk)  # noqa: S608  a name of ours
        found = verified()

    assert found.fault is not None
    assert found.fault.position == rows[2].position
    assert "does not say what was written" in found.fault.reason


def test_a_row_whose_digest_was_made_to_fit_is_named_by_its_seal(acme: House) -> None:
    with chain_of(acme) as rows:
        row = rows[2]
        row.actor_name = "mallory"
        row.content_digest = content_digest(row)
        chained = _place(row)
        row.digest = link_digest(**chained)
        row.save()
        found = verified()

    assert found.fault is not None
    assert found.fault.position == row.position
    assert "Foretell did not write it" in found.fault.reason


def test_a_row_that_was_removed_is_missing(acme: House) -> None:
    with chain_of(acme) as rows:
        execute("DELETE FROM audit_entry WHERE id = %s", rows[2].pk)
        found = verified()

    assert found.fault is not None
    assert str(found.fault).startswith(f"row {rows[3].position} ({rows[3].pk}): row {rows[2].position} is missing.")


def test_two_rows_that_were_swapped_do_not_follow_on_one_another(acme: House) -> None:
    with chain_of(acme) as rows:
        first, second = rows[2], rows[3]
        for position, row in ((-1, first), (first.position, second), (second.position, first)):
            execute("UPDATE audit_entry SET position = %s WHERE id = %s", position, row.pk)
        found = verified()

    assert found.fault is not None
    assert found.fault.position == first.position
    assert "does not follow" in found.fault.reason


def test_a_forged_row_at_the_end_is_named_though_the_chain_and_its_head_fit(acme: House) -> None:
    with chain_of(acme) as rows:
        forged = _appended(rows[-1], actor_name="alice", seal="0" * 64)
        found = verified()

    assert found.fault is not None
    assert found.fault.position == forged.position
    assert "Foretell did not write it" in found.fault.reason


def test_a_row_of_another_tenant_is_none_of_this_ones(acme: House, globex: House) -> None:
    with chain_of(acme) as rows:
        stranger = seal(rows[-1].content_digest, chain=str(globex.tenant.id))
        copied = _appended(rows[-1], seal=stranger)
        found = verified()

    assert found.fault is not None
    assert found.fault.position == copied.position
    assert "Foretell did not write it" in found.fault.reason


def test_a_row_past_the_triggers_has_no_place(acme: House) -> None:
    with chain_of(acme) as rows:
        last = rows[-1]
        execute(
            "INSERT INTO audit_entry SELECT (json_populate_record(NULL::audit_entry, (to_jsonb(old) || "
            '\'{"id": "01a1fd19-5c37-7fea-93a3-387aa748e341", "position": null}\')::json)).* FROM audit_entry AS old WHERE id = %s',
            last.pk,
        )
        found = verified()

    assert found.fault is not None
    assert found.fault.position is None
    assert "past the triggers" in found.fault.reason


def test_rows_cut_off_at_the_end_are_missed_since_the_head_is_kept_apart(acme: House) -> None:
    with chain_of(acme) as rows:
        execute("DELETE FROM audit_entry WHERE position > %s", rows[3].position)
        found = verified()

    assert found.fault is not None
    assert found.fault.reason == f"rows {rows[4].position} to {rows[5].position} are missing."


def test_a_chain_that_was_cut_off_together_with_its_head_is_missed_by_its_anchor(acme: House) -> None:
    with chain_of(acme) as rows:
        anchor = Anchor(rows[-1].position or 0, rows[-1].digest, "2026-05-01T00:00:00+00:00")
        execute("DELETE FROM audit_entry WHERE position > %s", rows[3].position)
        _set_head(acme, rows[3])
        without, found = verified(), verified(anchor)

    assert without.fault is None  # control: without the anchor nobody sees it
    assert found.fault is not None
    assert "They were there at 2026-05-01" in found.fault.reason


def test_a_chain_that_was_written_anew_with_seals_and_head_does_not_pass_its_anchor(acme: House) -> None:
    with chain_of(acme) as rows:
        anchor = Anchor(rows[-1].position or 0, rows[-1].digest, "2026-05-01T00:00:00+00:00")
        _rewritten(acme, rows[2:], actor_name="mallory")
        without, found = verified(), verified(anchor)

    assert without.fault is None  # control
    assert found.fault is not None
    assert found.fault.position == anchor.position
    assert "written anew" in found.fault.reason


def test_rows_cut_off_at_the_beginning_are_missed_since_nobody_pruned_them(acme: House) -> None:
    with chain_of(acme) as rows:
        execute("DELETE FROM audit_entry WHERE position <= %s", rows[2].position)
        without = verified()
        with use_public():
            ChainHead.objects.filter(schema_name=acme.tenant.schema_name).update(
                pruned_position=rows[2].position, pruned_digest=rows[2].digest
            )
        found = verified()

    assert without.fault is not None
    assert "are missing" in without.fault.reason
    assert found.fault is not None
    assert "no row says that it was pruned" in found.fault.reason


def test_rows_that_came_with_an_imported_tenant_are_counted_and_held_to_what_came(acme: House) -> None:
    with chain_of(acme) as rows:
        row = rows[-1]
        execute("UPDATE audit_entry SET seal = repeat('0', 64) WHERE position <= %s", row.position)
        alone = verified()
        _relinked(acme)
        came = Entry.objects.get(pk=row.pk)
        with use_public():
            after = {"position": came.position, "digest": came.digest}
            record(action="tenant.imported", target=("tenant", str(acme.tenant.id)), after=after)
            execute("UPDATE installation_audit_entry SET position = 1000000 WHERE position IS NULL")
        found = verified()

    assert alone.fault is not None
    assert found.fault is None
    assert found.sealed_elsewhere == came.position


def test_twenty_changes_at_once_are_one_unbroken_chain(acme: House) -> None:
    start = threading.Barrier(20)
    with acme.inside():
        before = Entry.objects.count()

    def change(number: int) -> None:
        with acme.inside():
            try:
                start.wait()
                with transaction.atomic():
                    record(action="model.changed", target=("model", "wine"), after={"description": str(number)})
                    record(action="model.changed", target=("model", "wine"), after={"description": f"{number} again"})
            finally:
                connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(change, range(20)))

    with acme.inside():
        found = verified()
        assert Entry.objects.count() == before + 40
    assert found.fault is None


def test_changes_that_lock_the_same_rows_in_any_order_do_not_lock_each_other_out(acme: House) -> None:
    """A foreign key is checked at the commit: whoever held the chain by then would wait for whoever waits for the chain."""
    from foretell.registry.models import RegisteredModel

    alice = acme.user("alice")
    start = threading.Barrier(12)

    def change(number: int) -> None:
        with acme.inside():
            try:
                start.wait()
                for turn in range(5):
                    with transaction.atomic():
                        if number % 2:
                            type(alice).objects.select_for_update().get(pk=alice.pk)
                        record(action="model.changed", target=("model", "wine"))
                        RegisteredModel.objects.create(name=f"wine-{number}-{turn}", created_by=alice)
            finally:
                connection.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(change, range(12)))

    with acme.inside():
        assert verified().fault is None


def _place(row: Entry) -> dict[str, Any]:
    return {"position": row.position, "previous": row.previous_digest, "content": row.content_digest, "seal": row.seal}


def _appended(last: Entry, **changes: Any) -> Entry:
    """Write a row behind the last one, as the triggers would, head and all."""
    row = Entry(
        **{field.attname: getattr(last, field.attname) for field in Entry._meta.fields if field.attname != "id"}
    )
    row.position, row.previous_digest = (last.position or 0) + 1, last.digest
    for name, value in changes.items():
        setattr(row, name, value)
    row.content_digest = content_digest(row)
    row.digest = link_digest(**_place(row))
    row.save(force_insert=True)
    with use_public():
        ChainHead.objects.filter(digest=last.digest).update(position=row.position, digest=row.digest)
    return row


def _set_head(house: House, row: Entry) -> None:
    with use_public():
        ChainHead.objects.filter(schema_name=house.tenant.schema_name).update(position=row.position, digest=row.digest)


def _relinked(house: House) -> None:
    """Chain all rows anew as they are."""
    previous = "0" * 64
    rows = list(Entry.objects.order_by("position"))
    for row in rows:
        row.previous_digest = previous
        row.digest = previous = link_digest(**_place(row))
        row.save()
    _set_head(house, rows[-1])


def _rewritten(house: House, rows: list[Entry], **changes: Any) -> None:
    """Write these rows anew, as somebody could who has SECRET_KEY and the database, but not the anchors."""
    previous = rows[0].previous_digest
    for row in rows:
        for name, value in changes.items():
            setattr(row, name, value)
        row.content_digest, row.previous_digest = content_digest(row), previous
        row.seal = seal(row.content_digest, chain=str(house.tenant.id))
        row.digest = previous = link_digest(**_place(row))
        row.save()
    _set_head(house, rows[-1])
