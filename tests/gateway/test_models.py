"""Versions in memory: loaded once for all who wait, and swapped without a seam."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import timezone

from foretell.accounts.models import APIKey
from foretell.errors import ForetellError
from foretell.gateway import models as gateway_models
from foretell.gateway.lane import Gateway
from foretell.gateway.models import ModelStore
from foretell.inference.loaded_models import LoadedModels
from foretell.registry.aliases import promote_version, rollback_alias
from foretell.registry.models import ModelVersion
from foretell.registry.serving import load_version
from foretell.serving.catalogue import Model, Version
from tests.cast import House
from tests.gateway.conftest import Begin, Until, entry
from tests.models import ready_sum_model


class Brake:
    """Holds back the loads of one version until it is let go."""

    def __init__(self, number: int) -> None:
        self.number, self.released, self.loads = number, threading.Event(), 0

    def load(self, version: ModelVersion) -> object:
        if version.number == self.number:
            self.loads += 1
            assert self.released.wait(20)
        return load_version(version)


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Brake]:
    brake = Brake(2)
    monkeypatch.setattr(gateway_models, "load_version", brake.load)
    yield brake
    brake.released.set()


def promote(house: House, version: ModelVersion) -> None:
    with house.inside():
        promote_version(version=version, alias="champion", by=house.user("alice"), now=timezone.now())


def served(gateway: Gateway, house: House) -> tuple[Model, Version]:
    model = entry(gateway, house).models["sum"]
    return model, model.versions[model.aliases["champion"]]


def use(gateway: Gateway, house: House) -> None:
    """Predict, as far as the store is concerned: lend what the champion leads to, and give it back."""
    model, version = served(gateway, house)
    asyncio.run(gateway.models.load(entry(gateway, house), model, version))
    gateway.models.give_back(entry(gateway, house), version)


def test_what_is_not_loaded_is_not_lent_and_is_loaded_once_for_all_who_wait(
    acme: House, gateway: Gateway, brake: Brake
) -> None:
    brake.number = 1
    ready_sum_model(acme)
    gateway.refresh()
    tenant, (model, version) = entry(gateway, acme), served(gateway, acme)

    async def many() -> list[object]:
        waiting = [asyncio.create_task(gateway.models.load(tenant, model, version)) for _ in range(50)]
        await asyncio.sleep(0.05)
        waiting.pop().cancel()
        brake.released.set()
        return list(await asyncio.gather(*waiting))

    assert gateway.models.lend(tenant, version) is None
    loaded = asyncio.run(many())

    assert brake.loads == 1
    assert len(set(map(id, loaded))) == 1
    assert gateway.models.lend(tenant, version) is loaded[0]
    for _ in range(len(loaded) + 1):
        gateway.models.give_back(tenant, version)


def test_an_alias_moves_only_when_its_version_is_loaded_and_all_else_holds_at_once(
    acme: House, begin: Begin, until: Until, brake: Brake
) -> None:
    first, second = ready_sum_model(acme), ready_sum_model(acme, tweak="2")
    promote(acme, first)
    gateway = begin()
    use(gateway, acme)

    promote(acme, second)
    until(lambda: brake.loads)
    with acme.inside():
        APIKey.objects.filter(key_id=acme.people["bob"].key_id).update(revoked_at=timezone.now())
    until(lambda: acme.people["bob"].key_id not in entry(gateway, acme).keys)
    assert served(gateway, acme)[1].number == 1

    brake.released.set()
    until(lambda: served(gateway, acme)[1].number == 2)
    assert gateway.models.is_loaded(entry(gateway, acme), served(gateway, acme)[1])


def test_a_replaced_version_stays_warm_and_a_rollback_moves_at_once(
    acme: House, gateway: Gateway, brake: Brake
) -> None:
    first, second = ready_sum_model(acme), ready_sum_model(acme, tweak="2")
    promote(acme, first)
    gateway.refresh()
    use(gateway, acme)
    brake.released.set()
    promote(acme, second)
    gateway.refresh()
    assert served(gateway, acme)[1].number == 2
    old = entry(gateway, acme).models["sum"].versions[1]
    assert gateway.models.is_loaded(entry(gateway, acme), old)

    with acme.inside():
        rollback_alias(model=first.model, alias="champion", by=acme.user("alice"), now=timezone.now())
    gateway.refresh()

    assert served(gateway, acme)[1] == old
    assert brake.loads == 1


def test_a_replaced_version_goes_after_a_while_and_one_that_came_back_stays(acme: House, gateway: Gateway) -> None:
    now = [0.0]
    store = ModelStore(LoadedModels(clock=lambda: now[0]), gateway.models._descriptions)
    ready_sum_model(acme)
    gateway.refresh()
    tenant, (model, version) = entry(gateway, acme), served(gateway, acme)
    store.warm(tenant, model, version).result()

    store.retire(tenant, version)
    store.keep(tenant, version)
    now[0] += 10_000
    store.sweep()
    assert store.is_loaded(tenant, version)

    store.retire(tenant, version)
    now[0] += 10_000
    store.sweep()
    assert not store.is_loaded(tenant, version)
    store.close()


def test_a_version_that_cannot_be_loaded_leaves_the_alias_where_it_is_and_is_tried_again(
    acme: House, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ready_sum_model(acme), ready_sum_model(acme, tweak="2")
    promote(acme, first)
    gateway.refresh()
    use(gateway, acme)

    def fails(version: ModelVersion) -> object:
        raise ForetellError("It is damaged.")

    monkeypatch.setattr(gateway_models, "load_version", fails)
    promote(acme, second)
    gateway.refresh()
    assert served(gateway, acme)[1].number == 1
    assert gateway.trouble() is not None

    monkeypatch.undo()
    publisher = gateway._publisher
    monkeypatch.setattr(publisher, "_clock", lambda: float("inf"))
    gateway.models._loaded.clear()  # forgets that it failed a moment ago, and the old version
    gateway.refresh()
    assert served(gateway, acme)[1].number == 2
    assert gateway.trouble() is None


def test_a_damaged_artifact_is_refused_in_words(acme: House, gateway: Gateway) -> None:
    version = ready_sum_model(acme)
    gateway.refresh()
    artifact = settings.ARTIFACT_ROOT / str(acme.tenant.id) / version.sha256
    content = artifact.read_bytes()
    artifact.chmod(0o600)
    artifact.write_bytes(content[:-1] + b"!")

    with pytest.raises(ForetellError, match="not the one that was stored"):
        use(gateway, acme)
    artifact.write_bytes(content)


def test_a_tenant_that_is_gone_has_nothing_in_memory(gateway: Gateway) -> None:
    from foretell.tenants.deleting import delete_tenant
    from foretell.tenants.services import create_tenant
    from tests.cast import Person

    tenant = create_tenant(name="leaving")
    house = House(tenant=tenant, people=dict[str, Person]())
    with house.inside():
        from foretell.accounts.models import User

        User.objects.create(username="alice", email="a@leaving.example", role="owner")
    ready_sum_model(house)
    gateway.refresh()
    use(gateway, house)
    assert len(gateway.models._loaded) == 1

    delete_tenant(tenant=tenant)
    gateway.refresh()

    assert len(gateway.models._loaded) == 0
