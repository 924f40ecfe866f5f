"""Nobody gets what is another tenant's: every route, by every credential, from every side; and what is not yours is answered as what is not there.

Two tenants are the same but for a word (`twins`), every route is called (`calls`, by `recipes`), and each call is varied (`probing`).
"""

import asyncio
from collections.abc import Iterator

import pytest

from foretell.core.database_backend.base import DatabaseWrapper
from foretell.core.database_backend.roles import Place
from tests import permission_matrix as matrix
from tests.isolation.calling import Call
from tests.isolation.calls import calls, missing
from tests.isolation.probing import Prober
from tests.isolation.recipes import WAY_OUT
from tests.isolation.rows import without_canary
from tests.isolation.twins import MARKS, Twin
from tests.isolation.world import runner, twins  # noqa: F401  fixtures are used by name

PROMISED = 3_000


@pytest.fixture(scope="module")
def prober(twins: tuple[Twin, Twin], runner: asyncio.Runner) -> Prober:  # noqa: F811
    from foretell.config.asgi import application

    return Prober(*twins, application, runner)


@pytest.mark.parametrize("call", calls(), ids=str)
def test_nothing_of_another_tenant_is_had(prober: Prober, call: Call) -> None:
    assert prober.leaks_of(call) == []


@pytest.fixture
def backend_taken_out(twins: tuple[Twin, Twin], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """Let who works for castor find pollux's rows, as a search path does that was left behind; with pollux's role, so that it may."""
    place, (castor, pollux) = DatabaseWrapper._place, twins

    def left_behind(self: DatabaseWrapper) -> Place:
        right = place(self)
        is_castors = right.search_path[0] == castor.schema
        return Place((pollux.schema, "public"), right.role and pollux.schema) if is_castors else right

    with monkeypatch.context() as patched:
        patched.setattr(DatabaseWrapper, "_place", left_behind)
        yield


@pytest.mark.parametrize(
    "route", ["GET registry:model", "GET accounts:users", "GET registry:card", "GET monitoring:predictions"]
)
def test_control_without_the_hardened_backend_the_same_probes_leak(
    prober: Prober, backend_taken_out: None, route: str
) -> None:
    (call,) = (call for call in calls() if str(call) == route)

    leaks = prober.leaks_of(call)

    assert any("canarypollux" in leak or "onlypollux" in leak or MARKS["pollux"] in leak for leak in leaks), leaks
    assert any("a foreign credential" in leak for leak in leaks)


@pytest.mark.parametrize("route", ["GET registry:models", "GET accounts:me", "GET web:catalogue"])
def test_control_canaries_are_seen_where_they_belong(prober: Prober, route: str) -> None:
    (call,) = (call for call in calls() if str(call) == route)

    prober.leaks_of(call)

    assert route in prober.seen


@pytest.mark.long
@pytest.mark.parametrize("is_swapped", [False, True], ids=["castor", "pollux"])
@pytest.mark.parametrize("call", calls(), ids=str)
def test_nothing_of_another_tenant_is_had_by_any_credential_in_any_place(
    prober: Prober,
    twins: tuple[Twin, Twin],  # noqa: F811
    call: Call,
    is_swapped: bool,
) -> None:
    home, other = reversed(twins) if is_swapped else twins

    assert Prober(home, other, prober.app, prober.runner, is_thorough=True).leaks_of(call) == []


def test_every_route_says_how_it_is_called() -> None:
    assert not missing(), f"Nobody said how these are called: {', '.join(missing())}. {WAY_OUT}"


def test_control_a_route_without_a_recipe_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in matrix.MATRIX if row.route != "accounts:keys"]
    monkeypatch.setattr(matrix, "MATRIX", rows)
    calls.cache_clear()
    try:
        assert {"GET accounts:keys", "POST accounts:keys"} <= set(missing())
    finally:
        calls.cache_clear()


def test_there_are_as_many_probes_as_were_promised(prober: Prober) -> None:
    assert sum(1 for call in calls() for _ in prober.planned(call)) >= PROMISED


def test_every_text_of_a_tenant_is_a_canary(twins: tuple[Twin, Twin]) -> None:  # noqa: F811
    """Else what leaked might not be seen: fill a new table or column in tests/isolation/twins.py, or say there why it has no canary."""
    for twin in twins:
        assert without_canary(twin) == []
