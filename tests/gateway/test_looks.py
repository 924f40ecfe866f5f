"""What was made a moment ago is there for whoever uses it at once: before the lane says no, the database is looked at once more."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from django.db import OperationalError

from foretell import keys
from foretell.accounts.api_keys import create_key
from foretell.asgi import Receive, Scope, Send
from foretell.gateway import following, looks
from foretell.gateway.lane import Gateway
from foretell.gateway.listening import Listener
from foretell.gateway.looks import Looks
from foretell.serving.composing import compose_lane
from foretell.serving.exchange import Terms
from tests.cast import House
from tests.gateway.conftest import Begin, Until, entry
from tests.http import ASGITransport
from tests.models import ready_sum_model

ROW = {"a": 1, "b": 2}


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(f"{scope['path']} was not the lane's")


@pytest.fixture
def silent(acme: House, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway that hears of nothing, and asks by itself once an hour."""
    monkeypatch.setattr(following, "POLL_S", 3_600.0)
    ready_sum_model(acme)
    return begin(hears=False)


def client(gateway: Gateway, key: str) -> httpx.Client:
    lane = compose_lane(nobody, gateway.ports(), terms=Terms(max_body_bytes=1 << 20))
    return httpx.Client(
        transport=ASGITransport(lane), base_url="http://acme.localhost", headers={"Authorization": f"Bearer {key}"}
    )


def fresh_key(house: House) -> str:
    with house.inside():
        return create_key(user=house.user("alice"), name="fresh", scopes=["predict"])[1]


def ask(gateway: Gateway, key: str, model: str = "sum") -> httpx.Response:
    with client(gateway, key) as asking:
        return asking.post(f"/api/v1/models/{model}/predict/", json=ROW)


def test_a_key_that_was_just_made_opens_the_door(acme: House, silent: Gateway) -> None:
    assert ask(silent, fresh_key(acme)).status_code == 200


def test_a_model_that_was_just_pushed_answers(acme: House, silent: Gateway) -> None:
    ready_sum_model(acme, name="fresh")

    assert ask(silent, acme.people["alice"].key, "fresh").json()["prediction"] == 3.0


def test_a_version_that_was_just_built_answers(acme: House, silent: Gateway) -> None:
    ready_sum_model(acme, tweak="second")

    with client(silent, acme.people["alice"].key) as alice:
        assert alice.post("/api/v1/models/sum/versions/2/predict/", json=ROW).json()["version"] == 2


def test_control_without_another_look_nothing_of_it_is_there(acme: House, silent: Gateway) -> None:
    silent.catalogue.looks.close()
    ready_sum_model(acme, name="fresh")

    assert ask(silent, fresh_key(acme)).status_code == 401
    assert ask(silent, acme.people["alice"].key, "fresh").status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        lambda _: str(keys.new_key()),
        lambda house: str(keys.Key(id=house.people["alice"].key_id, secret=keys.new_key().secret)),
        lambda _: "no key at all",
    ],
    ids=["a key of nobody", "a wrong secret", "no key"],
)
def test_what_is_not_there_is_still_refused(acme: House, silent: Gateway, key: Callable[[House], str]) -> None:
    assert ask(silent, key(acme)).status_code == 401


def test_what_is_not_there_is_counted_once(acme: House, silent: Gateway) -> None:
    with client(silent, acme.people["alice"].key) as alice:
        before, after = (_remaining(alice.post("/api/v1/models/none/predict/", json=ROW)) for _ in range(2))

    assert before - after <= 1


def _remaining(answer: httpx.Response) -> int:
    assert answer.status_code == 404
    return int(answer.headers["RateLimit"].split("r=")[1].split(";")[0])


def test_while_the_database_is_away_nobody_waits(
    acme: House, begin: Begin, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "LONGEST_S", 60.0)
    gateway = begin()

    def gone(listener: Listener) -> dict[str, int]:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(Listener, "numbers", gone)
    until(lambda: gateway.is_cut_off)

    assert ask(gateway, str(keys.new_key())).status_code == 401


def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "LONGEST_S", 60.0)

    async def flood() -> list[bool]:
        crowd = Looks(lambda: None)
        crowd.begin()
        waiting = [asyncio.ensure_future(crowd.wait("t_acme")) for _ in range(looks.MOST + 10)]
        await asyncio.sleep(0)
        over = [one.done() for one in waiting]
        crowd.end(crowd.begin(), is_loading=lambda _: False)
        await asyncio.gather(*waiting)
        return over

    over = asyncio.run(flood())

    assert sum(over) == 10


def test_whoever_waits_for_a_version_that_is_being_loaded_goes_on_waiting() -> None:
    async def look() -> tuple[bool, bool]:
        waiters = Looks(lambda: None)
        waiters.begin()
        acme, globex = (asyncio.ensure_future(waiters.wait(schema)) for schema in ("t_acme", "t_globex"))
        await asyncio.sleep(0)
        waiters.end(waiters.begin(), is_loading=lambda schema: schema == "t_acme")
        await asyncio.wait([globex])
        found = acme.done(), globex.done()
        waiters.close()
        await acme
        return found

    assert asyncio.run(look()) == (False, True)


def test_a_tenant_that_changed_meanwhile_is_another_entry(acme: House, silent: Gateway) -> None:
    before = entry(silent, acme)

    ask(silent, fresh_key(acme))

    assert entry(silent, acme) is not before
