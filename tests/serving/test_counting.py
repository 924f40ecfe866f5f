"""What is asked beside predictions, at other people's protocols: counted like any request, and answered with the limits' headers."""

from dataclasses import replace

import pytest

from tests.serving.world import World, limited

ASIDE = (
    ("GET", "/v2"),
    ("GET", "/v2/models"),
    ("GET", "/v2/models/sum"),
    ("GET", "/v2/models/sum/ready"),
    ("GET", "/v2/models/nothing"),
    ("POST", "/v2/repository/index"),
    ("POST", "/v2/repository/models/sum/load"),
    ("POST", "/v2/repository/models/sum/unload"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/sum"),
    ("GET", "/models/sum/ping"),
    ("GET", "/models/sum/version"),
    ("GET", "/"),
)


def give_rate(world: World, person: str, rate: str) -> None:
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    id, held = next((id, key) for id, key in tenant.keys.items() if key.principal.username == person)
    fewer = replace(held, principal=replace(held.principal, claims=(limited("acme", person, rate),)))
    world.change("acme", keys={**tenant.keys, id: fewer})


@pytest.mark.parametrize(("method", "path"), ASIDE)
def test_each_takes_one_from_the_callers_limit_and_says_what_is_left(world: World, method: str, path: str) -> None:
    give_rate(world, "alice", "2/min")
    with world.client() as client:
        answers = [client.request(method, path) for _ in range(3)]

    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert 429 not in [answer.status_code for answer in answers[:2]]
    assert answers[2].status_code == 429
    assert int(answers[2].headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_probes_that_are_open_to_all_take_nothing(world: World, path: str) -> None:
    """The control."""
    give_rate(world, "alice", "1/min")
    with world.client() as client:
        assert [client.get(path).status_code for _ in range(3)] == [200] * 3


def test_the_root_of_the_address_is_alive_for_those_who_are_known_only(world: World) -> None:
    with world.client(None, **{"X-API-Key": "ft_unknown"}) as client:
        assert client.get("/").status_code == 401
    with world.client(tenant="nowhere") as client:
        assert client.get("/").status_code == 404
    with world.client() as client:
        assert client.get("/").json() == {"status": "alive"}
