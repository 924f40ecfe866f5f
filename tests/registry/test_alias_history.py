"""Which version an alias pointed at on a day is one question, answered from the audit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.audit.models import Entry
from tests.audit.tampering import execute
from tests.cast import House
from tests.models import ready_sum_model

HISTORY = "/api/v1/models/sum/aliases/champion/history/"
MATCH = {"If-Match": "*"}


@pytest.fixture
def two_versions(acme: House) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")


def promoted(client: httpx.Client, version: int) -> datetime:
    """Move the champion, and return a moment at which it is there."""
    answer = client.put("/api/v1/models/sum/aliases/champion/", json={"version": version}, headers=MATCH)
    assert answer.status_code == 200, answer.text
    return timezone.now()


def champion_at(client: httpx.Client, at: datetime) -> int | None:
    answer = client.get(HISTORY, params={"at": at.isoformat()})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found[0]["version"] if found else None


def test_each_moment_has_the_version_that_was_champion_then(two_versions: None, alice: httpx.Client) -> None:
    first = timezone.now()
    second = promoted(alice, 2)
    alice.post("/api/v1/models/sum/aliases/champion/rollback/")
    third = timezone.now()
    alice.delete("/api/v1/models/sum/aliases/champion/", headers=MATCH)

    moments = [first, second, third, timezone.now(), first - timedelta(days=1)]

    assert [champion_at(alice, at) for at in moments] == [1, 2, 1, None, None]


def test_the_history_says_who_moved_it_and_which_row_of_the_audit_has_it(
    two_versions: None, alice: httpx.Client
) -> None:
    promoted(alice, 2)

    newest, first = alice.get(HISTORY).json()["results"]

    assert (newest["version"], newest["from_version"], newest["by"], newest["is_rollback"]) == (2, 1, "alice", False)
    assert (first["version"], first["from_version"]) == (1, None)
    assert alice.get(newest["audit"]).json()["after"]["version"] == 2


def test_it_is_there_for_an_archived_model_as_well(two_versions: None, alice: httpx.Client) -> None:
    alice.delete("/api/v1/models/sum/")

    assert champion_at(alice, timezone.now()) == 1


def test_one_moment_is_one_query_of_the_audit(acme: House, two_versions: None) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from foretell.registry.alias_history import move_at
    from foretell.registry.models import RegisteredModel

    with acme.inside():
        model = RegisteredModel.objects.get(name="sum")
        with CaptureQueriesContext(connection) as queries:
            move = move_at(model, "champion", timezone.now())

    assert move is not None
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 1


def test_where_the_audit_was_pruned_the_registry_still_knows(acme: House, two_versions: None) -> None:
    from django.db import transaction

    from foretell.core.tenancy import as_owner
    from foretell.registry.alias_history import move_at
    from foretell.registry.models import RegisteredModel

    with acme.inside(), as_owner(), transaction.atomic():
        execute("SET LOCAL session_replication_role = replica")
        Entry.objects.all().delete()
        move = move_at(RegisteredModel.objects.get(name="sum"), "champion", timezone.now())
        transaction.set_rollback(True)

    assert move is not None
    assert (move.version, move.by, move.entry_id) == (1, "alice", None)


def test_an_alias_that_never_was_is_not_found(two_versions: None, alice: httpx.Client) -> None:
    path = "/api/v1/models/sum/aliases/nobody/history/"

    assert alice.get(path).status_code == 404
    assert alice.get(path, params={"at": datetime(2026, 5, 1, tzinfo=UTC).isoformat()}).status_code == 404


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "", "\0"])
def test_a_moment_that_is_none_is_refused(two_versions: None, alice: httpx.Client, at: str) -> None:
    answer = alice.get(HISTORY, params={"at": at})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "at"


def test_another_tenant_sees_nothing_of_it(two_versions: None, carol: httpx.Client) -> None:
    assert carol.get(HISTORY).status_code == 401
