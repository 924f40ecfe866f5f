"""A change and its row are one: both are there, or neither."""

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from foretell.accounts.models import User
from foretell.audit import actors
from foretell.audit.fields import SECRET, UnlistedField
from foretell.audit.installation.models import InstallationEntry
from foretell.audit.models import Entry
from foretell.audit.recording import NotInTransaction, record
from foretell.core.tenancy import as_owner, use_public
from foretell.keys import new_key
from tests.cast import House

ALICE = actors.Actor(
    user_id="01a1fd19-5c37-7fea-93a3-387aa748e341", name="alice", credential=actors.Credential.KEY, credential_id="abcdefghij",
    face=actors.Face.REST, address="192.0.2.1", request_id="r-1",
)  # fmt: skip


def written(**kwargs: Any) -> Entry:
    """Record a change of a model in a transaction, and return its row."""
    with transaction.atomic():
        record(**{"action": "model.changed", "target": ("model", "wine"), **kwargs})
    row: Entry = Entry.objects.order_by("-position")[0]
    return row


@transaction.atomic
def promoted(name: str, **row: Any) -> None:
    """Make somebody an owner, and record it, or not."""
    User.objects.filter(username=name).update(role="owner")
    if row:
        record(**row)


@transaction.atomic
def recorded_and_given_up() -> None:
    record(action="model.changed", target=("model", "wine"))
    raise RuntimeError("changed my mind")


@transaction.atomic
def recorded_and_changed() -> None:
    record(action="model.changed", target=("model", "wine"))
    Entry.objects.filter(position=None).update(actor_name="mallory")


def test_a_row_says_who_did_what_to_what_from_what_to_what_and_how(acme: House) -> None:
    with acme.inside(), actors.acting(ALICE):
        row = written(before={"description": "old"}, after={"description": "new"}, name="Wine")

    assert (row.action, row.target_kind, row.target_id, row.target_name) == ("model.changed", "model", "wine", "Wine")
    assert (row.before, row.after) == ({"description": "old"}, {"description": "new"})
    assert (row.actor_id, row.actor_name, row.credential, row.credential_id) == (
        ALICE.user_id,
        "alice",
        "key",
        "abcdefghij",
    )
    assert (row.face, row.address, row.request_id) == ("rest", "192.0.2.1", "r-1")


def test_a_change_that_rolls_back_leaves_no_row(acme: House) -> None:
    with acme.inside():
        before = Entry.objects.count()
        with pytest.raises(RuntimeError, match="changed my mind"):
            recorded_and_given_up()

        assert Entry.objects.count() == before


def test_a_row_that_cannot_be_written_stops_the_change(acme: House) -> None:
    with acme.inside():
        with pytest.raises(UnlistedField):
            promoted("bob", action="user.role_changed", target=("user", "bob"), after={"pet": "cat"})

        assert User.objects.get(username="bob").role == "viewer"


def test_control_without_the_row_the_same_change_happens(acme: House) -> None:
    with acme.inside():
        promoted("bob")

        assert User.objects.get(username="bob").role == "owner"


def test_a_row_outside_the_changes_transaction_is_refused(acme: House) -> None:
    with acme.inside(), pytest.raises(NotInTransaction, match=r"transaction\.atomic"):
        record(action="model.changed", target=("model", "wine"))


def test_a_row_costs_one_statement(acme: House) -> None:
    with acme.inside(), transaction.atomic(), CaptureQueriesContext(connection) as queries:
        record(action="model.changed", target=("model", "wine"), after={"description": "new"})

    assert [query["sql"].split()[0] for query in queries if not query["sql"].startswith("SET ")] == ["INSERT"]


def test_what_a_tenant_does_is_in_its_own_chain_and_what_is_done_to_tenants_in_the_installations(acme: House) -> None:
    with acme.inside():
        theirs = Entry.objects.count()
    with use_public(), transaction.atomic():
        record(action="tenant.suspended", target=("tenant", "acme"))

    with use_public():
        assert InstallationEntry.objects.order_by("-position")[0].action == "tenant.suspended"
    with acme.inside():
        assert Entry.objects.count() == theirs


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("UPDATE audit_entry SET actor_name = 'mallory'", "UPDATE"),
        ("UPDATE audit_entry SET position = position + 100", "UPDATE"),
        ("DELETE FROM audit_entry", "DELETE"),
        ("TRUNCATE audit_entry", "TRUNCATE"),
    ],
)
def test_the_table_refuses_to_change_or_lose_a_row(acme: House, statement: str, verb: str) -> None:
    with acme.inside(), as_owner():  # the tenant's own role may even less
        written()
        with (
            pytest.raises(ProgrammingError, match=f"{verb} of .*audit_entry was refused"),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_row_can_not_be_changed_within_its_own_transaction_either(acme: House) -> None:
    with acme.inside(), pytest.raises(ProgrammingError, match="UPDATE of"):
        recorded_and_changed()


def test_what_looks_like_a_secret_is_taken_out_of_what_people_write(acme: House) -> None:
    key = str(new_key())
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
    hashed = "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"

    with acme.inside():
        row = written(after={"description": f"use {key} or {token}", "tags": {key: hashed}})

    assert row.after == {"description": f"use {SECRET} or {SECRET}", "tags": {SECRET: SECRET}}


@pytest.mark.parametrize("field", ["password", "secret", "secret_digest", "api_key", "refresh_token", "session_key"])
@pytest.mark.parametrize("kind", ["user", "key", "token", "session", "tenant"])
def test_no_field_that_holds_a_secret_can_be_written(acme: House, kind: str, field: str) -> None:
    with acme.inside(), pytest.raises(UnlistedField, match=field), transaction.atomic():
        record(action="any.thing", target=(kind, "x"), after={field: "y"})
