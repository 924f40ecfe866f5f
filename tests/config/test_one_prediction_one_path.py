"""The lane and Django answer alike: each input goes through both, and status, type and body are the same, byte for byte."""

import asyncio
import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cast import Cast, House
from tests.http import refreshed
from tests.models import ready_sum_model
from tests.serving.bad_payloads import payloads

PREDICT = "/api/v1/models/sum/predict/"
ROW = b'{"a": 1, "b": 2.5}'
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
ID = re.compile(rb'"id":"[0-9a-f-]{36}"')
SAME_HEADERS = ("content-type", "www-authenticate", "ratelimit-policy", "cache-control")
PRESENT_ALIKE = ("retry-after", "ratelimit", "x-request-id", "server-timing")


@dataclass(frozen=True)
class Case:
    name: str
    path: str = PREDICT
    body: bytes = ROW
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    person: str | None = "alice"
    host: str = "acme.localhost"


CASES = [
    Case("one row"),
    Case("integers and floats", body=b'{"b": 2, "a": 1e0}'),
    Case("small and large numbers", body=b'{"instances": [[1e-7, 0], [1e16, 0], [123456789.125, 1e-300], [0.1, 0.2]]}'),
    Case("rows", body=b'{"instances": [{"b": 2, "a": 1}, [3, 4]]}'),
    Case("no rows", body=b'{"instances": []}'),
    Case("outside the training range", body=b'{"a": -5, "b": 1000}'),
    Case("slashless", path=PREDICT[:-1]),
    Case("by alias", path="/api/v1/models/sum@champion/predict/"),
    Case("by number", path="/api/v1/models/sum/versions/1/predict/"),
    Case("below the prefix", path=f"/t/acme{PREDICT}", host="globex.localhost"),
    Case("another tenant's prefix", path=f"/t/globex{PREDICT}"),
    Case("csv to json", body=b"b,a\n2,1\n", headers=CSV),
    Case("csv to csv", body=b"b,a\n2,1\n4,3\n", headers={**CSV, "Accept": "text/csv"}),
    Case("json to csv", headers={**JSON, "Accept": "text/csv"}),
    Case("a charset", headers={"Content-Type": "application/json; charset=utf-8"}),
    Case("nobody", person=None),
    Case("a foreigner", person="carol"),
    Case("a viewer", person="bob"),
    Case("rubbish for a key", person=None, headers={**JSON, "Authorization": "Bearer rubbish"}),
    Case("no key after bearer", person=None, headers={**JSON, "Authorization": "Bearer "}),
    Case("basic that is no base64", person=None, headers={**JSON, "Authorization": "Basic !"}),
    Case("basic without a colon", person=None, headers={**JSON, "Authorization": "Basic YWJj"}),
    Case("an unknown scheme", person=None, headers={**JSON, "Authorization": "Digest abc"}),
    Case("an empty key", person=None, headers={**JSON, "X-API-Key": ""}),
    Case("an unknown model", path="/api/v1/models/nothing/predict/"),
    Case("an unknown alias", path="/api/v1/models/sum@beta/predict/"),
    Case("an unknown version", path="/api/v1/models/sum/versions/9/predict/"),
    Case("a version of a million digits", path=f"/api/v1/models/sum/versions/{'9' * 400}/predict/"),
    Case("a version that is not ready", path="/api/v1/models/sum/versions/2/predict/"),
    Case("an odd name", path="/api/v1/models/%F0%9F%98%80/predict/"),
    Case("a name with a nul", path="/api/v1/models/su%00m/predict/"),
    Case("a name with a slash", path="/api/v1/models/su%2Fm/predict/"),
    Case("an unknown host", host="nobody.localhost"),
    Case("no host at all", host="..."),
    Case("an id of one's own", headers={**JSON, "X-Request-ID": "abc-123"}),
    Case("a forged id", headers={**JSON, "X-Request-ID": "abc def"}),
    *(Case(payload.name, body=payload.body, headers=dict(payload.headers)) for payload in payloads()),
]


@pytest.fixture
def stage(cast: Cast) -> Cast:
    ready_sum_model(cast.acme)
    building_version(cast.acme)
    return cast


def building_version(house: House) -> None:
    from foretell.registry.models import ModelVersion, RegisteredModel

    with house.inside():
        model = RegisteredModel.objects.get(name="sum")
        ModelVersion.objects.create(
            model=model, number=2, push_digest="another", created_by=model.created_by, state="building"
        )


def test_every_input_is_answered_alike_by_both(stage: Cast) -> None:
    from foretell.config.asgi import application, without_lane

    assert differences(stage, application, without_lane) == []


def test_the_lane_answers_without_django(stage: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: were everything handed on, both would be one."""
    from foretell.config import asgi

    async def nobody(*_: Any) -> None:
        raise AssertionError("handed on")

    monkeypatch.setattr(asgi.lane, "app", nobody)
    taken = [case for case in CASES if case.headers.get("Content-Type") in ("application/json", "text/csv")]

    sent_all(stage, asgi.application, [case for case in taken if "%" not in case.path])


@pytest.mark.parametrize(
    "change", ["revoked", "expired", "narrow", "other models", "inactive", "suspended", "archived"]
)
def test_what_is_taken_away_is_taken_away_from_both(stage: Cast, change: str) -> None:
    from foretell.config.asgi import application, without_lane

    changed(stage, change)
    cases = [Case("a row"), Case("an unknown model", path="/api/v1/models/nothing/predict/")]

    answers = [sent_all(stage, app, cases) for app in (application, without_lane)]

    assert answers[0] == answers[1]
    assert all(answer[0] >= 400 for answer in answers[0])


def changed(stage: Cast, change: str) -> None:
    from django.utils import timezone

    from foretell.accounts.models import APIKey, User
    from foretell.core.tenancy import use_public
    from foretell.registry.models import RegisteredModel

    now, acme = timezone.now(), stage.acme
    changes: dict[str, dict[str, Any]] = {
        "revoked": {"revoked_at": now}, "expired": {"expires_at": now - timedelta(seconds=1)}, "narrow": {"scopes": ["models:read"]},
        "other models": {"model_names": ["other"]},
    }  # fmt: skip
    with acme.inside():
        if change in changes:
            APIKey.objects.filter(key_id=acme.people["alice"].key_id).update(**changes[change])
        elif change == "inactive":
            User.objects.filter(username="alice").update(is_active=False)
        elif change == "archived":
            RegisteredModel.objects.update(archived_at=now)
    if change == "suspended":
        with use_public():
            acme.tenant.suspended_at = now
            acme.tenant.save()


def differences(stage: Cast, lane: Any, django: Any) -> list[str]:
    ours, theirs = sent_all(stage, lane, CASES), sent_all(stage, django, CASES)
    return [
        f"{case.name}: lane {one!r} django {other!r}"
        for case, one, other in zip(CASES, ours, theirs, strict=True)
        if one != other
    ]


def sent_all(stage: Cast, application: Any, cases: list[Case]) -> list[tuple[Any, ...]]:
    refreshed()
    return asyncio.run(all_sent(stage, application, cases))


async def all_sent(stage: Cast, application: Any, cases: list[Case]) -> list[tuple[Any, ...]]:
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as client:
        return [shape_of(await sent(client, stage, case)) for case in cases]


async def sent(client: httpx.AsyncClient, stage: Cast, case: Case) -> httpx.Response:
    headers = {"X-Request-ID": "the-same", **case.headers, "Host": case.host}
    if case.person is not None:
        person = stage.house_of(case.person).people[case.person]
        headers["Authorization"] = f"Bearer {person.key}"
    return await client.post(f"http://acme.localhost{case.path}", content=case.body, headers=headers)


def shape_of(answer: httpx.Response) -> tuple[Any, ...]:
    return (
        answer.status_code,
        ID.sub(b'"id":""', answer.content),
        *(answer.headers.get(name) for name in SAME_HEADERS),
        *(name in answer.headers for name in PRESENT_ALIKE),
    )


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def credentials(person: Any) -> Iterator[dict[str, str]]:
    """Show the same key in each of the ways there are."""
    key_id, rest = person.key_id, person.key.rsplit("_", 1)[1]
    yield {"Authorization": f"Bearer {person.key}"}
    yield {"Authorization": f"bearer {person.key}"}
    yield {"X-API-Key": person.key}
    yield {"Authorization": basic(f"{key_id}:{rest}")}
    yield {"Authorization": basic(f"{key_id}:{person.key}")}
    yield {"Authorization": basic(f"{person.username}:{person.password}")}
    yield {"Authorization": basic(f"{person.username}:wrong")}
    yield {"Authorization": basic("nobody:wrong")}
    yield {"Authorization": basic(f"{key_id}:wrong")}
    yield {"Authorization": basic(f"{person.username}:wrong"), "X-API-Key": person.key}


def test_every_way_to_show_a_credential_is_taken_alike(stage: Cast) -> None:
    from foretell.config.asgi import application, without_lane

    cases = [
        Case(str(number), person=None, headers={**JSON, **shown})
        for number, shown in enumerate(credentials(stage.acme.people["alice"]))
    ]

    ours, theirs = (sent_all(stage, app, cases) for app in (application, without_lane))

    assert ours == theirs
    assert [answer[0] for answer in ours] == [200] * 6 + [401] * 3 + [200]
