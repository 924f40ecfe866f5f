"""Which aliases may move at once, and which stay until their version is loaded. No database."""

from foretell.gateway.swapping import held_back, replaced
from foretell.serving.catalogue import Model, Tenant, Version


def version(number: int, *, pk: int | None = None, is_ready: bool = True) -> Version:
    return Version(pk=pk or number, number=number, is_ready=is_ready, seal=f"seal {pk or number}")


def tenant(aliases: dict[str, int], *versions: Version) -> Tenant:
    known = {one.number: one for one in versions or (version(1), version(2))}
    return Tenant(id="1", name="acme", schema_name="t_1", models={"m": Model("m", known, aliases)})


def aliases_of(entry: Tenant) -> dict[str, int]:
    return dict(entry.models["m"].aliases)


def test_an_alias_stays_while_its_old_version_is_loaded_and_its_new_one_is_not() -> None:
    before, wanted = tenant({"champion": 1}), tenant({"champion": 2})

    entry, awaited = held_back(wanted, before, lambda one: one.pk in {1})

    assert aliases_of(entry) == {"champion": 1}
    assert [(one.alias, one.version.number) for one in awaited] == [("champion", 2)]


def test_it_moves_when_the_new_version_is_loaded_or_the_old_one_is_not() -> None:
    before, wanted = tenant({"champion": 1}), tenant({"champion": 2})

    assert held_back(wanted, before, lambda one: True) == (wanted, [])
    assert held_back(wanted, before, lambda one: False) == (wanted, [])
    assert held_back(wanted, None, lambda one: one.pk == 1) == (wanted, [])


def test_all_else_of_the_change_holds_at_once() -> None:
    before = tenant({"champion": 1, "beta": 1})
    wanted = tenant({"champion": 2, "new": 2})

    entry, _ = held_back(wanted, before, lambda one: one.pk == 1)

    assert aliases_of(entry) == {"champion": 1, "new": 2}
    assert entry.keys == wanted.keys


def test_credentials_that_were_verified_do_not_outlive_a_change_that_is_held_back() -> None:
    before, wanted = tenant({"champion": 1}), tenant({"champion": 2})

    entry, _ = held_back(wanted, before, lambda one: one.pk == 1)

    assert entry.verified is not wanted.verified
    assert entry.verified is not before.verified


def test_a_model_that_was_made_anew_is_not_held_to_its_namesakes_version() -> None:
    before = tenant({"champion": 1}, version(1, pk=1))
    wanted = tenant({"champion": 2}, version(1, pk=11), version(2, pk=12))

    assert held_back(wanted, before, lambda one: one.pk == 1) == (wanted, [])


def test_a_version_that_is_not_ready_is_not_waited_for() -> None:
    before = tenant({"champion": 1})
    wanted = tenant({"champion": 2}, version(1), version(2, is_ready=False))

    assert held_back(wanted, before, lambda one: one.pk == 1) == (wanted, [])


def test_what_no_alias_leads_to_any_more_was_replaced() -> None:
    before, after = tenant({"champion": 1, "beta": 2}), tenant({"champion": 2})

    assert [one.number for one in replaced(before, after)] == [1]
    assert replaced(None, after) == []
