"""What an operator asks of the audits from the command line."""

import json
from typing import Any

import pytest
from django.db import transaction

from foretell.audit.anchors import read_anchors
from foretell.audit.models import Entry
from foretell.audit.recording import record
from foretell.core.tenancy import as_owner, use_public
from tests.audit.tampering import execute
from tests.cast import House
from tests.commands import Run


@pytest.fixture
def initech(cast: object, run: Run) -> Any:
    """A tenant whose chain may be broken: it is deleted afterwards."""
    code, _, err = run("tenant", "create", "initech", "--json")
    assert code == 0, err
    from foretell.tenants.services import get_tenant

    yield get_tenant("initech")
    run("tenant", "delete", "initech", "--now", "--yes")


def changed(tenant: Any, count: int = 1) -> None:
    from foretell.core.tenancy import use_tenant

    for number in range(count):
        with use_tenant(tenant), transaction.atomic():
            record(action="model.changed", target=("model", "wine"), after={"description": f"number {number}"})


def broken(tenant: Any, statement: str) -> None:
    from foretell.core.tenancy import use_tenant

    with use_tenant(tenant), as_owner(), transaction.atomic():
        execute("SET LOCAL session_replication_role = replica")
        execute(statement)


def test_verify_says_that_each_chain_is_whole(initech: Any, acme: House, run: Run) -> None:
    changed(initech)

    code, out, _ = run("audit", "verify", "--json")

    states = {row["chain"]: row["state"] for row in json.loads(out)}
    assert {"installation", "initech", "acme"} <= states.keys()
    assert states["initech"] == "whole"
    assert code == (0 if set(states.values()) == {"whole"} else 1)  # other tests may have tenants of their own


def test_verify_names_the_first_row_that_does_not_fit_and_fails(initech: Any, run: Run) -> None:
    changed(initech, 3)
    broken(
        initech,
        "UPDATE audit_entry SET actor_name = 'mallory' WHERE position = (SELECT max(position) - 1 FROM audit_entry)",
    )

    code, out, err = run("audit", "verify", "--tenant", "initech", "--json")

    (row,) = json.loads(out)
    assert code == 1
    assert row["fault"].startswith(f"row {row['position'] + 1} (")
    assert "does not say what was written" in row["fault"]
    assert "docs/audit.md" in err


def test_export_writes_every_row(initech: Any, run: Run) -> None:
    changed(initech, 2)

    _, lines, _ = run("audit", "export", "--tenant", "initech")
    _, table, _ = run("audit", "export", "--tenant", "initech", "--format", "csv")

    positions = [json.loads(line)["position"] for line in lines.splitlines()]
    assert positions == list(range(1, len(positions) + 1))
    assert len(table.splitlines()) == len(positions) + 1


def test_the_installations_own_chain_is_exported_without_a_tenant(initech: Any, run: Run) -> None:
    _, lines, _ = run("audit", "export")

    made = [row for row in map(json.loads, lines.splitlines()) if row["target_name"] == "initech"]
    last = [row for row in made if row["action"] == "tenant.created"][-1]  # other tests had an initech before
    assert (last["credential"], last["face"]) == ("cli", "cli")
    assert last["actor_name"]


def test_prune_deletes_what_is_old_and_says_who_did_it(initech: Any, run: Run) -> None:
    changed(initech, 3)

    code, out, err = run("audit", "prune", "--tenant", "initech", "--before", "2100-01-01", "--yes", "--json")

    pruned = json.loads(out)
    assert code == 0, err
    assert pruned["rows"] == pruned["position"] >= 3
    assert run("audit", "verify", "--tenant", "initech")[0] == 0
    from foretell.core.tenancy import use_tenant

    with use_tenant(initech):
        (row,) = Entry.objects.all()
    assert (row.action, row.face) == ("audit.pruned", "cli")


def test_prune_asks_first(initech: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(initech)
    monkeypatch.setattr("typer.confirm", _refuse)

    code, _, _ = run("audit", "prune", "--tenant", "initech", "--before", "2100-01-01")

    assert code == 1
    assert run("audit", "verify", "--tenant", "initech")[0] == 0


def test_a_chain_that_was_cut_off_with_its_head_is_told_by_its_anchor_until_it_is_accepted(
    initech: Any, run: Run
) -> None:
    changed(initech, 3)
    run("audit", "anchor", "--tenant", "initech")
    broken(initech, "DELETE FROM audit_entry WHERE position = (SELECT max(position) FROM audit_entry)")
    broken(
        initech,
        "UPDATE public.installation_audit_head SET (position, digest) = "
        "(SELECT position, digest FROM audit_entry ORDER BY position DESC LIMIT 1) WHERE schema_name = current_schema()",
    )

    before, _, _ = run("audit", "verify", "--tenant", "initech")
    run("audit", "anchor", "--tenant", "initech")
    after, _, _ = run("audit", "verify", "--tenant", "initech")

    assert (before, after) == (1, 0)


def test_the_workers_task_keeps_an_anchor_of_every_chain(initech: Any, acme: House) -> None:
    from foretell.config.tasks import anchor_audits

    changed(initech)

    with use_public():
        anchor_audits.func(timestamp=0)

    assert {initech.schema_name, "public"} <= read_anchors().keys()


def _refuse(*_: Any, **__: Any) -> None:
    import typer

    raise typer.Abort
