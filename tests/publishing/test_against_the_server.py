"""From an estimator to an answer, through the real application: only the queue is replaced, by building at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

import foretell
from foretell.client import Client, Conflict, InvalidRequest, NotFound, PermissionDenied
from foretell.inference.sandbox import Sandbox, spawn_sandbox
from tests.cast import House
from tests.http import FreshTransport

FLOWERS = pd.DataFrame({"length": np.linspace(1, 7, 60), "width": np.tile([0.5, 1.0, 1.5], 20)})
SPECIES = np.where(FLOWERS["length"] > 4, "virginica", "setosa")
FOREST = RandomForestClassifier(n_estimators=5, random_state=1).fit(FLOWERS, SPECIES)


class BuildingTransport(httpx.BaseTransport):
    """Speaks to the application, and builds what is pushed before the answer is read, as a quick worker would."""

    def __init__(self, house: House, sandbox: Sandbox) -> None:
        from foretell.config.asgi import application

        self._house, self._sandbox = house, sandbox
        self._transport = FreshTransport(application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._transport.handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/versions/") and response.is_success:
            self._build(response.json())
        return response

    def _build(self, pushed: dict[str, Any]) -> None:
        from foretell.registry.building import build_version
        from foretell.registry.models import ModelVersion

        with self._house.inside():
            version = ModelVersion.objects.get(model__name=pushed["model"], number=pushed["version"])
            build_version(version_id=version.pk, sandbox=self._sandbox)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    from django.conf import settings

    with spawn_sandbox(socket_path=settings.SANDBOX_SOCKET) as running:  # where the application looks for it
        yield running


@pytest.fixture
def client_of(acme: House, sandbox: Sandbox) -> Iterator[Any]:
    opened: list[Client] = []

    def open_client(person: str) -> Client:
        key, transport = acme.people[person].key, BuildingTransport(acme, sandbox)
        opened.append(Client("http://acme.localhost", key, "", transport=transport))
        return opened[-1]

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def alice(client_of: Any) -> Client:
    found: Client = client_of("alice")
    return found


def push(client: Client, model: Any = FOREST, **facts: Any) -> Any:
    return foretell.push(model, "flowers", sample=FLOWERS, client=client, progress=False, **facts)


def test_a_pushed_estimator_answers_as_it_does_at_home(alice: Client) -> None:
    version = push(alice, metrics={"accuracy": 1})

    assert (version.state, version.runtime, version.aliases) == ("ready", "onnx", ("champion",))
    assert version.metrics == {"accuracy": 1}
    answers = alice.predict("flowers", FLOWERS)
    assert [answer.prediction for answer in answers] == FOREST.predict(FLOWERS).tolist()
    assert alice.predict("flowers", FLOWERS.iloc[0].to_dict()).prediction == "setosa"


def test_an_estimator_without_an_exact_graph_is_served_as_itself(alice: Client) -> None:
    neighbours = KNeighborsClassifier(2).fit(FLOWERS.round(), SPECIES)

    version = push(alice, neighbours)

    assert version.runtime == "python"
    rows = FLOWERS[:5]
    assert [answer.prediction for answer in alice.predict("flowers", rows)] == neighbours.predict(rows).tolist()


def test_the_same_push_is_the_same_version(alice: Client) -> None:
    assert push(alice).version == push(alice).version == 1
    assert [version.version for version in alice.versions("flowers")] == [1]


def test_promote_and_roll_back(alice: Client) -> None:
    push(alice)
    second = push(alice, RandomForestClassifier(n_estimators=3, random_state=2).fit(FLOWERS, SPECIES))

    assert (second.version, second.aliases) == (2, ())
    assert alice.promote("flowers", 2).version == 2
    assert alice.predict("flowers", FLOWERS[:1]).version == 2
    assert alice.rollback("flowers").version == 1
    assert alice.model("flowers").aliases == {"champion": 1}
    with pytest.raises(Conflict):
        alice.rollback("flowers")
    with pytest.raises(NotFound):
        alice.promote("flowers", 9)


def test_a_table_in_is_a_table_out(alice: Client) -> None:
    push(alice)

    table = alice.predict_csv("flowers", FLOWERS[:2].to_csv(index=False).encode()).decode().splitlines()

    assert table[0].startswith("length,width,prediction")
    assert len(table) == 3


def test_input_that_does_not_fit_names_every_place(alice: Client) -> None:
    push(alice)

    with pytest.raises(InvalidRequest) as caught:
        alice.predict("flowers", [{"length": "long", "width": 1}, {"width": 1, "smell": 2}])

    assert {fault.attr for fault in caught.value.errors} == {
        "instances.0.length",
        "instances.1.length",
        "instances.1.smell",
    }


def test_who_may_not_push_is_told_so(client_of: Any) -> None:
    with pytest.raises(PermissionDenied):
        push(client_of("bob"))


def test_a_tenant_by_its_prefix_is_the_same_place(alice: Client, acme: House, sandbox: Sandbox) -> None:
    push(alice)

    with Client("http://localhost", acme.people["bob"].key, "acme", transport=BuildingTransport(acme, sandbox)) as bob:
        assert bob.me().tenant == "acme"
        assert [model.name for model in bob.models()] == ["flowers"]
        assert bob.predict("flowers", FLOWERS[:1])[0].prediction == "setosa"
