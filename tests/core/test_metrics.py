"""`/metrics`: for whoever has the token, or sits at the machine; there for nobody else."""

import asyncio
from http import HTTPStatus

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from foretell.asgi import Receive, Scope, Send
from foretell.core.metrics import FORWARDED, MetricsRoute
from foretell.core.request_counts import RequestCounts
from foretell.metrics import families
from foretell.metrics.instruments import Counter
from foretell.problems import UNKNOWN_ADDRESS
from foretell.tenants.limits import set_limits
from tests.cast import Cast, House
from tests.http import HttpFor
from tests.models import ready_sum_model

TOKEN = "a long and secret token"
ELSEWHERE, HERE = "203.0.113.7", "127.0.0.1"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"the rest"})


def asked(
    *, peer: str | None = HERE, token: str = TOKEN, method: str = "GET", path: str = "/metrics", **headers: str
) -> httpx.Response:
    route = MetricsRoute(application, exposition=lambda accept: (b"shown", "text/plain"), token=token)
    transport = httpx.ASGITransport(app=route, client=(peer, 1))  # type: ignore[arg-type]  # wider types; None is a socket's
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://anything.example") as client:
            return await client.request(method, path, headers=named)

    return asyncio.run(ask())


def test_the_token_opens_it_from_anywhere() -> None:
    assert asked(peer=ELSEWHERE, authorization=f"Bearer {TOKEN}").content == b"shown"
    assert asked(peer=ELSEWHERE, authorization=f"bearer {TOKEN}", x_forwarded_for="198.51.100.1").content == b"shown"


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_who_has_no_token_finds_nothing(shown: str) -> None:
    answer = asked(peer=ELSEWHERE, authorization=shown)

    assert (answer.status_code, answer.content) == (HTTPStatus.NOT_FOUND, UNKNOWN_ADDRESS)


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer", "Bearer  "])
def test_no_token_is_no_empty_token(shown: str) -> None:
    assert asked(peer=ELSEWHERE, token="", authorization=shown).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("peer", [HERE, "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_needs_no_token(peer: str) -> None:
    assert asked(peer=peer).content == b"shown"
    assert asked(peer=peer, token="").content == b"shown"


@pytest.mark.parametrize("peer", [ELSEWHERE, "10.0.0.1", "::ffff:10.0.0.1", "", "localhost", None])
def test_another_machine_or_an_unknown_peer_is_not_this_one(peer: str | None) -> None:
    assert asked(peer=peer).content == UNKNOWN_ADDRESS


@pytest.mark.parametrize("header", sorted(name.decode() for name in FORWARDED))
def test_what_came_through_a_proxy_on_this_machine_is_not_from_here(header: str) -> None:
    through = asked(**{header: HERE})

    assert (through.status_code, through.content) == (HTTPStatus.NOT_FOUND, UNKNOWN_ADDRESS)


def test_without_looking_at_proxies_their_clients_would_be_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.core.metrics.FORWARDED", frozenset())

    assert asked(x_forwarded_for=ELSEWHERE).content == b"shown"


def test_only_get_and_head_of_that_address_are_answered() -> None:
    assert asked(method="HEAD").content == b""
    assert asked(method="POST").content == UNKNOWN_ADDRESS
    assert asked(path="/metrics/").content == asked(path="/t/acme/metrics").content == b"the rest"


def test_methods_and_statuses_that_are_made_up_are_few_labels() -> None:
    counter = Counter(families.HTTP_REQUESTS)

    async def answer(status: int, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def ask_all() -> None:
        for number in range(3_000):

            async def app(scope: Scope, receive: Receive, send: Send, status: int = number % 1_000) -> None:
                await answer(status, scope, receive, send)

            scope = {"type": "http", "method": f"MADE-UP-{number}"}
            await RequestCounts(app, requests=counter)(scope, _nothing, _ignore)

    asyncio.run(ask_all())

    assert {labels[0] for labels, _ in counter.series()} == {"other"}
    assert len(counter.series()) < 80
    assert sum(count for _, count in counter.series()) == 3_000


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}


async def _ignore(message: object) -> None:
    return


# --- the application itself ---


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text) for sample in family.samples
    }  # fmt: skip


def scraped(http: httpx.Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return samples(http.get("/metrics").text)


def labelled(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


@pytest.mark.parametrize("host", ["acme.localhost", "nobody.example", "10.0.0.7:8000"])
def test_it_is_there_on_every_host(http_for: HttpFor, host: str) -> None:
    answer = http_for(None).get("/metrics", headers={"Host": host})

    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert labelled("foretell_processes", kind="web") in samples(answer.text)


def test_every_metric_is_told(http_for: HttpFor) -> None:
    told = {family.name for family in parse(http_for(None).get("/metrics").text)}

    assert told == {
        family.name.removesuffix("_total") if family.kind == "counter" else family.name for family in families.ALL
    }


def test_refusals_are_told_by_their_policy_whichever_way_the_caller_came(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    set_limits(tenant=acme.tenant, changes={"user": "2/min"})
    of_user, alice = labelled("foretell_throttled_total", policy="user"), http_for("alice")
    before = scraped(http_for(None)).get(of_user, 0.0)

    by_the_lane = [alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code for _ in range(3)]
    by_django = [alice.get("/api/v1/me/").status_code for _ in range(2)]

    assert (by_the_lane, by_django) == ([200, 200, 429], [429, 429])
    assert scraped(http_for(None))[of_user] - before == 3


def test_openmetrics_is_told_to_who_asks_for_it(http_for: HttpFor) -> None:
    answer = http_for(None).get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    told = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]  # theirs
    assert "foretell_predictions" in {family.name for family in told}


def test_predictions_are_counted_with_their_rows_and_their_time(cast: Cast, http_for: HttpFor) -> None:
    ready_sum_model(cast.acme, name="counted")
    alice, model = http_for("alice"), {"tenant": "acme", "model": "counted", "version": "1"}
    before = scraped(alice)

    for _ in range(2):
        assert alice.post("/api/v1/models/counted/predict/", json={"instances": [[1, 2], [3, 4]]}).is_success
    assert alice.post("/api/v1/models/counted/predict/", json={"a": "rubbish"}).status_code == HTTPStatus.BAD_REQUEST
    now = scraped(alice)

    def rose(name: str, **labels: str) -> float:
        key = labelled(name, **labels)
        return now.get(key, 0) - before.get(key, 0)

    assert rose("foretell_predictions_total", **model, face="rest", status="200") == 2
    assert rose("foretell_predictions_total", **model, face="rest", status="400") == 1
    assert rose("foretell_prediction_rows_total", **model) == 4
    assert rose("foretell_prediction_seconds_count", **model) == 3
    assert rose("foretell_model_seconds_count", **model) == 2


def test_names_that_are_made_up_make_no_series(cast: Cast, http_for: HttpFor) -> None:
    alice, stranger = http_for("alice"), http_for(None)
    n_before = len(scraped(alice))

    for number in range(40):
        alice.post(f"/api/v1/models/made-up-{number}/predict/", json={})
        alice.post(f"/v2/models/made-up-{number}/infer", json={})
        stranger.post(f"/t/made-up-{number}/api/v1/models/m/predict/", json={}, headers={"Authorization": "Bearer x"})
    found = scraped(alice)

    assert not [key for key in found if "made-up" in str(key)]
    assert len(found) - n_before < 90  # a few statuses and histograms, whatever the number of names
    assert (
        found[labelled("foretell_predictions_total", tenant="acme", model="", version="", face="rest", status="404")]
        >= 40
    )
