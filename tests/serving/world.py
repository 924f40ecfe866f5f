"""A lane over the ports in memory: acme and globex, their people's keys, and SumModel. No database, no framework."""

from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from foretell import keys
from foretell.asgi import Receive, Scope, Send
from foretell.inference.predicting import LoadedModel
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.limits import Claim, MemoryLimiter, Policy, Rate, claim_for
from foretell.serving.catalogue import Key, Model, Principal, Tenant, Version
from foretell.serving.composing import Ports, compose_lane
from foretell.serving.exchange import Terms
from foretell.serving.lane import Lane
from foretell.serving.memory import MemoryCatalogue, MemoryCredentials, MemoryLimits, MemoryLog, MemoryModels
from tests.http import ASGITransport
from tests.models import sum_graph, sum_signature

PEPPER = b"pepper"
MAX_BODY_BYTES, OPERATORS_HOST = 1 << 20, "operators.localhost"


async def django(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand where Django stands: what is handed on is answered so that one sees it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 299, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Django"})


@dataclass
class World:
    catalogue: MemoryCatalogue
    models: MemoryModels
    log: MemoryLog
    limiter: MemoryLimiter
    lane: Lane
    shown: dict[str, str] = field(default_factory=dict)  # person → key

    def client(self, person: str | None = "alice", *, tenant: str = "acme", **headers: str) -> httpx.Client:
        """Return a client at a tenant's door, with a person's key."""
        if person is not None:
            headers["Authorization"] = f"Bearer {self.shown[person]}"
        return httpx.Client(transport=ASGITransport(self.lane), base_url=f"http://{tenant}.localhost", headers=headers)

    def change(self, name: str, **changes: Any) -> None:
        """Change a tenant, as a change of its rows would."""
        tenant = self.catalogue.named(name)
        assert tenant is not None
        self.catalogue.put(replace(tenant, **changes, verified={}))

    def lift_limits(self) -> None:
        """Let everybody ask as often as they like."""
        for name in ("acme", "globex"):
            tenant = self.catalogue.named(name)
            assert tenant is not None
            free = {
                key: replace(held, principal=replace(held.principal, claims=())) for key, held in tenant.keys.items()
            }
            self.change(name, keys=free)


def sum_version(number: int = 1, pk: int = 1) -> Version:
    return Version(pk=pk, number=number, is_ready=True)


def loaded_sum() -> LoadedModel:
    signature = sum_signature()
    return LoadedModel(signature, OnnxRuntime(sum_graph(), signature))


def principal(tenant: str, name: str, **changes: Any) -> Principal:
    fields: dict[str, Any] = {
        "user_id": name, "username": name, "key_id": f"key-{name}", "may_predict": True, "may_read": True,
        "claims": (limited(tenant, name, "1000/min"),),
    }  # fmt: skip
    return Principal(**{**fields, **changes})


def limited(tenant: str, name: str, rate: str) -> Claim:
    return claim_for(tenant, "user", name, Policy("user", Rate.parse(rate)))


def open_world(**settings: Any) -> World:
    """Return acme with Alice, who may, and Bob, who may only read; and globex with Carol; each has SumModel."""
    models, tenants = MemoryModels(), []
    shown: dict[str, str] = {}
    for name, people in {"acme": ("alice", "bob"), "globex": ("carol",)}.items():
        presented = {person: keys.new_key() for person in people}
        shown |= {person: str(key) for person, key in presented.items()}
        tenant = Tenant(
            id=name, name=name, schema_name=f"t_{name}",
            models={"sum": Model(name="sum", versions={1: sum_version()}, aliases={"champion": 1})},
            keys={
                key.id: Key(keys.digest(key.secret, pepper=PEPPER), principal(name, person, may_predict=person != "bob"))
                for person, key in presented.items()
            },
        )  # fmt: skip
        models.put(tenant, sum_version(), loaded_sum())
        tenants.append(tenant)
    ports = Ports(
        catalogue=MemoryCatalogue(*tenants), models=models, limits=MemoryLimits(), limiter=MemoryLimiter(), log=MemoryLog(),
        credentials=MemoryCredentials(
            pepper=PEPPER, passwords={("acme", "alice"): ("a long enough passphrase", principal("acme", "alice", key_id=None))}
        ),
    )  # fmt: skip
    lane = compose_lane(
        django, ports, terms=Terms(max_body_bytes=MAX_BODY_BYTES, operators_host=OPERATORS_HOST), **settings
    )
    assert isinstance(ports.catalogue, MemoryCatalogue)
    return World(ports.catalogue, models, ports.log, ports.limiter, lane, shown)  # type: ignore[arg-type]  # as made above
