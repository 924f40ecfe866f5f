"""Limits of the REST API and the pages: exact, told in headers, and the same buckets whichever way a request comes."""

from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.accounts.limiting import ModelScope, claims_of, limiter, quotas, scope_claim
from foretell.limits import Rate
from foretell.monitoring.models import UsageHour
from foretell.tenants.limits import set_limits
from tests.accounts.test_passwords import basic
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.web.pages import ask, sign_in, text_of

ME = "/api/v1/me/"
PREDICT = "/api/v1/models/sum/predict/"
ROW = {"a": 1, "b": 2}


@pytest.fixture
def sum_model(acme: House) -> None:
    ready_sum_model(acme)


@pytest.fixture
def scopes(settings: Any) -> None:
    settings.LIMIT_SCOPES = {"limited": Rate.parse("2/min"), "burst": Rate.parse("10/min")}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Django's settings, each put back after the test."""
    from django.conf import settings as django_settings

    class Changing:
        def __setattr__(self, name: str, value: Any) -> None:
            monkeypatch.setattr(django_settings, name, value)

    return Changing()


def limit(house: House, **limits: str | int | None) -> None:
    set_limits(tenant=house.tenant, changes=limits)


def statuses(client: httpx.Client, times: int, path: str = ME) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def predicted(client: httpx.Client, times: int) -> list[int]:
    return [client.post(PREDICT, json=ROW).status_code for _ in range(times)]


# --- what a refusal is ---


def test_over_the_limit_is_429_with_a_problem_and_a_time(bob: httpx.Client, acme: House) -> None:
    limit(acme, key="2/min")

    assert statuses(bob, 2) == [200, 200]
    answer = bob.get(ME)

    assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/problem+json")
    assert answer.json() == {
        "type": "urn:foretell:problem:throttled",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "The limit 'key' is 2 in a minute, and it is spent. Try again in 30 s.",
        "code": "throttled",
        "request_id": answer.headers["X-Request-ID"],
        "errors": [],
    }
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["RateLimit"] == '"key";r=0;t=60'


def test_every_answer_to_who_is_known_tells_the_limits(bob: httpx.Client, acme: House) -> None:
    limit(acme, key="100/min", user="off")

    answer = bob.get(ME)

    assert answer.headers["RateLimit-Policy"] == '"key";q=100;w=60, "tenant";q=600000;w=60'
    assert answer.headers["RateLimit"] == '"key";r=99;t=1'


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", ME, 405), ("DELETE", "/api/v1/models/none/", 403), ("GET", "/api/v1/models/none/", 404)],
)
def test_refusals_tell_them_too(bob: httpx.Client, acme: House, method: str, path: str, status: int) -> None:
    limit(acme, key="100/min")

    answer = bob.request(method, path)

    assert answer.status_code == status
    assert answer.headers["RateLimit"].startswith('"key";r=')


def test_a_stranger_is_told_nothing(http_for: HttpFor) -> None:
    answer = http_for(None).get(ME)

    assert answer.status_code == 401
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers


def test_with_all_limits_off_nothing_is_told_and_nothing_refused(bob: httpx.Client, acme: House) -> None:
    limit(acme, key="off", user="off", tenant="off")

    answer = bob.get(ME)

    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers


def test_who_may_not_is_not_charged(bob: httpx.Client, acme: House) -> None:
    limit(acme, key="2/min")

    for _ in range(5):
        assert bob.delete("/api/v1/models/none/").status_code == 403

    assert statuses(bob, 3) == [200, 200, 429]


# --- for whom ---


def test_a_key_is_limited_for_itself(bob: httpx.Client, erin: httpx.Client, acme: House) -> None:
    limit(acme, key="1/min")

    assert statuses(bob, 2) == [200, 429]
    assert statuses(erin, 2) == [200, 429]


def test_a_person_is_limited_over_all_ways_to_come_in(http_for: HttpFor, bob: httpx.Client, acme: House) -> None:
    limit(acme, user="2/min")
    by_password = http_for(None)
    by_password.headers.update(basic("bob", PASSWORD))

    assert statuses(bob, 1) + statuses(by_password, 1) == [200, 200]
    assert (statuses(bob, 1), statuses(by_password, 1)) == ([429], [429])


def test_a_tenant_is_limited_whoever_asks_and_no_other_with_it(
    bob: httpx.Client, erin: httpx.Client, http_for: HttpFor, acme: House
) -> None:
    limit(acme, tenant="3/min")

    assert statuses(bob, 2) + statuses(erin, 2) == [200, 200, 200, 429]
    assert statuses(http_for("carol"), 5) == [200] * 5


def test_the_installations_limits_hold_where_a_tenant_has_none_of_its_own(
    bob: httpx.Client, http_for: HttpFor, acme: House, settings: Any
) -> None:
    settings.LIMIT_RATES = {"key": Rate.parse("1/min"), "user": None, "tenant": None}
    limit(acme, key="2/min")

    assert statuses(bob, 3) == [200, 200, 429]
    assert statuses(http_for("carol"), 2) == [200, 429]

    limit(acme, key=None)
    assert statuses(bob, 2) == [200, 429]


# --- named limits ---


@pytest.mark.parametrize(("scope", "allowed"), [("limited", 2), ("burst", 10)])
def test_a_models_named_limit(
    alice: httpx.Client, bob: httpx.Client, sum_model: None, scopes: None, scope: str, allowed: int
) -> None:
    changed = alice.patch("/api/v1/models/sum/", json={"limit_scope": scope})
    assert (changed.status_code, changed.json()["limit_scope"]) == (200, scope)

    assert predicted(bob, allowed + 2) == [200] * allowed + [429] * 2
    assert predicted(alice, 1) == [200]  # each person has their own
    answer = bob.post(PREDICT, json=ROW)
    assert f'"{scope}";q={allowed};w=60' in answer.headers["RateLimit-Policy"]
    assert f"'{scope}'" in answer.json()["detail"]


def test_a_named_limit_is_counted_for_each_model(
    alice: httpx.Client, bob: httpx.Client, acme: House, sum_model: None, scopes: None
) -> None:
    ready_sum_model(acme, name="other")
    for name in ("sum", "other"):
        alice.patch(f"/api/v1/models/{name}/", json={"limit_scope": "limited"})

    assert predicted(bob, 3) == [200, 200, 429]
    assert bob.post("/api/v1/models/other/predict/", json=ROW).status_code == 200
    assert bob.get(ME).status_code == 200


def test_a_named_limit_is_taken_away_by_an_empty_name(
    alice: httpx.Client, bob: httpx.Client, sum_model: None, scopes: None
) -> None:
    alice.patch("/api/v1/models/sum/", json={"limit_scope": "limited"})
    alice.patch("/api/v1/models/sum/", json={"limit_scope": ""})

    assert predicted(bob, 4) == [200] * 4


def test_a_name_that_is_not_configured_is_refused_with_those_that_are(
    alice: httpx.Client, sum_model: None, scopes: None
) -> None:
    answer = alice.patch("/api/v1/models/sum/", json={"limit_scope": "limitless"})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "limit_scope")
    assert "burst, limited" in answer.json()["detail"]


def test_only_who_promotes_gives_a_model_a_limit(erin: httpx.Client, scopes: None) -> None:
    erin.post("/api/v1/models/", json={"name": "mine"})

    assert erin.patch("/api/v1/models/mine/", json={"limit_scope": "limited"}).status_code == 403
    assert erin.patch("/api/v1/models/mine/", json={"description": "x"}).status_code == 200


def test_a_name_that_is_configured_no_more_limits_nothing(
    alice: httpx.Client, bob: httpx.Client, sum_model: None, scopes: None, settings: Any
) -> None:
    alice.patch("/api/v1/models/sum/", json={"limit_scope": "limited"})
    settings.LIMIT_SCOPES = {}

    assert predicted(bob, 4) == [200] * 4


def test_a_page_takes_from_the_same_bucket(
    http_for: HttpFor, alice: httpx.Client, sum_model: None, scopes: None
) -> None:
    alice.patch("/api/v1/models/sum/", json={"limit_scope": "limited"})
    browser = http_for(None)
    sign_in(browser, "alice", PASSWORD)
    assert predicted(alice, 1) == [200]

    first = ask(browser, "/models/sum/", {"a": "1", "b": "2"})
    second = ask(browser, "/models/sum/", {"a": "1", "b": "2"})

    assert (first.status_code, second.status_code) == (200, 429)
    assert int(second.headers["Retry-After"]) > 0
    assert "The limit 'limited' is 2 in a minute" in text_of(second)
    assert predicted(alice, 1) == [429]


def test_the_lane_and_the_views_claim_the_same_buckets(acme: House, scopes: None) -> None:
    with acme.inside():
        claims = claims_of(acme.principal("bob"), ModelScope("sum", "limited"))
    of_the_lane = scope_claim(str(acme.tenant.id), str(acme.user("bob").pk), ModelScope("sum", "limited"))

    assert [claim.policy.name for claim in claims] == ["user", "tenant", "limited"]
    assert claims[-1] == of_the_lane
    assert claims_of(acme.principal("bob"), tenant=acme.tenant) == claims[:2]


# --- quotas ---


def test_a_spent_month_is_429_until_its_end(bob: httpx.Client, acme: House, sum_model: None) -> None:
    limit(acme, requests_per_month=2)

    assert predicted(bob, 2) == [200, 200]
    answer = bob.post(PREDICT, json=ROW)

    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    assert int(answer.headers["Retry-After"]) > 0
    assert bob.get(ME).status_code == 200  # it is predictions that are counted


def test_rows_are_counted_as_many_as_they_are(bob: httpx.Client, acme: House, sum_model: None) -> None:
    limit(acme, rows_per_month=5)

    assert bob.post(PREDICT, json={"instances": [ROW] * 6}).status_code == 429
    assert bob.post(PREDICT, json={"instances": [ROW] * 5}).status_code == 200
    assert predicted(bob, 1) == [429]


def test_the_limiter_is_one_for_all_of_a_process() -> None:
    assert limiter() is limiter()


def test_a_host_that_counted_nothing_goes_by_the_ledger(bob: httpx.Client, acme: House, sum_model: None) -> None:
    now = timezone.now()
    limit(acme, rows_per_month=1_000)
    with acme.inside():
        UsageHour.objects.create(
            hour=now.replace(minute=0, second=0, microsecond=0),
            model="sum",
            version=1,
            user_id=acme.user("bob").pk,
            requests=7,
            rows=1_000,
        )

    answer = bob.post(PREDICT, json=ROW)

    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    assert quotas().used(str(acme.tenant.id), now=now) == (7, 1_000)
