"""A write that is refused changes nothing: for want of a permission, which the audit then tells, and for a representation that is stale."""

import pytest

from tests.bad_input.test_every_field import NOTED, writes
from tests.http import refreshed
from tests.isolation.asking import Request
from tests.isolation.calling import Call
from tests.isolation.calls import calls
from tests.isolation.rows import digest_of, put_back, run
from tests.isolation.twins import Twin, bearer, key_of, session_of, session_shown
from tests.isolation.world import Ask, asked, runner, twins  # noqa: F401  fixtures are used by name
from tests.permission_matrix import MATRIX

VIEWER = {(row.method, row.route): row.viewer for row in MATRIX}
REFUSED = [call for call in writes() if VIEWER.get((call.method, call.route)) == 403]
PAGES = [call for call in calls() if call.is_write and call.is_page]
# What is ended, and shown in a list alone: nothing of it is stale.
WITHOUT_TAG = {"accounts:session", "accounts:sessions", "accounts:user-second-factor"}
CHANGING = [call for call in writes() if call.method in ("PUT", "PATCH", "DELETE") and call.route not in WITHOUT_TAG]


@pytest.fixture
def castor(twins: tuple[Twin, Twin]) -> Twin:  # noqa: F811
    """As it was furnished."""
    put_back(twins[0])
    refreshed()
    return twins[0]


def denied(twin: Twin) -> list[str]:
    """Return what the audit says was tried without permission, by whom."""
    rows = run(twin, f"SELECT actor_name FROM {twin.schema}.audit_entry WHERE action = 'permission.denied'")  # noqa: S608  a name of ours
    return [name for (name,) in rows]


def changed_by(asked: Ask, twin: Twin, request: Request) -> tuple[int, list[str]]:  # noqa: F811
    """Return how a request is answered, and the tables that it changed."""
    before = digest_of(twin)
    status = asked(request).status
    after = digest_of(twin)
    return status, [table for table in after if after[table] != before[table] and table not in NOTED]


@pytest.mark.parametrize("call", REFUSED, ids=str)
def test_a_write_without_permission_changes_nothing_and_the_audit_says_that_it_was_tried(
    castor: Twin, asked: Ask, call: Call  # noqa: F811
) -> None:  # fmt: skip
    shown = {**bearer(str(key_of(castor, "bobbobbobb"))), **call.options.get("headers", {})}

    status, changes = changed_by(asked, castor, Request(call.method, call.path, castor.host, shown, call.options))

    assert (status, changes) == (403, [])
    assert denied(castor) == ["bob"]


@pytest.mark.parametrize("call", PAGES, ids=str)
def test_a_form_without_permission_changes_nothing_and_the_audit_says_that_it_was_tried(
    castor: Twin, asked: Ask, call: Call  # noqa: F811
) -> None:  # fmt: skip
    with castor.house.inside():
        shown = {**session_shown(session_of(castor.house.user("bob"))), "Accept": "text/html"}

    status, changes = changed_by(asked, castor, Request(call.method, call.path, castor.host, shown, call.options))

    assert denied(castor) == (["bob"] if status == 403 else [])
    if status == 403:
        assert changes == []


@pytest.mark.parametrize("call", CHANGING, ids=str)
def test_a_change_of_what_is_stale_is_refused_and_changes_nothing(castor: Twin, asked: Ask, call: Call) -> None:  # noqa: F811
    headers = {**castor.shown["key"], **call.options.get("headers", {}), "If-Match": '"what it was once"'}
    options = {name: value for name, value in call.options.items() if name != "headers"}

    status, changes = changed_by(asked, castor, Request(call.method, call.path, castor.host, headers, options))

    assert (status, changes) == (412, [])
