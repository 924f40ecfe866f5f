"""CORS per tenant: off by default, named origins or any, never with credentials."""

import httpx
import pytest

from foretell.core.cross_origin.origins import normalised_origin
from tests.cast import House
from tests.http import HttpFor

CORS, MODELS = "/api/v1/cors/", "/api/v1/models/"
APP = "https://app.example.com"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def allow(client: httpx.Client, *origins: str) -> None:
    answer = client.put(CORS, json={"origins": origins}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_by_default_no_other_sites_page_is_told_anything(http_for: HttpFor) -> None:
    asked = http_for("bob").get(MODELS, headers={"Origin": APP})
    preflight = http_for(None).options(MODELS, headers=PREFLIGHT)

    assert preflight.status_code == 401
    for answer in (asked, preflight):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in answer.headers["Vary"]


def test_a_site_that_is_allowed_is_told_so_also_before_it_asks(http_for: HttpFor) -> None:
    allow(http_for("alice"), APP)

    preflight = http_for(None).options(f"{MODELS}wine/", headers=PREFLIGHT)
    asked = http_for("bob").get(MODELS, headers={"Origin": APP})
    refused = http_for(None).get(MODELS, headers={"Origin": APP})

    assert (preflight.status_code, preflight.content) == (204, b"")
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "If-Match", "Idempotency-Key"} <= set(
        preflight.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert (asked.status_code, refused.status_code) == (200, 401)
    for answer in (preflight, asked, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin", ["http://app.example.com", f"{APP}:8443", f"{APP}.evil.example", "https://evil.example", "null", ""]
)
def test_no_other_origin_is_taken_for_it(http_for: HttpFor, origin: str) -> None:
    allow(http_for("alice"), APP)

    answer = http_for("bob").get(MODELS, headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_any_origin_is_never_told_with_credentials(http_for: HttpFor) -> None:
    allow(http_for("alice"), "*")

    answer = http_for("bob").get(MODELS, headers={"Origin": "https://anywhere.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_one_tenants_sites_are_not_anothers(http_for: HttpFor) -> None:
    allow(http_for("alice"), APP)

    assert "Access-Control-Allow-Origin" not in http_for("carol").get(MODELS, headers={"Origin": APP}).headers


def test_pages_are_no_business_of_other_sites(http_for: HttpFor) -> None:
    allow(http_for("alice"), "*")

    assert "Access-Control-Allow-Origin" not in http_for(None).get("/accounts/login/", headers={"Origin": APP}).headers


def test_a_site_that_is_allowed_reads_the_other_protocols_too(http_for: HttpFor) -> None:
    before = http_for("bob").get("/v2/models", headers={"Origin": APP})
    allow(http_for("alice"), APP)
    after = http_for("bob").get("/v2/models", headers={"Origin": APP})

    assert "Access-Control-Allow-Origin" not in before.headers
    assert (after.status_code, after.headers["Access-Control-Allow-Origin"]) == (200, APP)


def test_a_request_that_comes_from_no_other_site_costs_no_query(acme: House, http_for: HttpFor) -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    allow(http_for("alice"), APP)
    client = Client(headers={"host": "acme.localhost", "X-API-Key": acme.people["bob"].key})
    client.get(MODELS)

    def cost(**headers: str) -> int:
        with acme.inside(), CaptureQueriesContext(connection) as captured:
            client.get(MODELS, headers=headers)
        return sum(1 for query in captured if "cross_origin" in query["sql"])

    assert (cost(), cost(origin="http://acme.localhost"), cost(origin=APP)) == (0, 0, 1)


def test_what_is_no_origin_is_refused_with_its_place(alice: httpx.Client) -> None:
    wrong = [
        f"{APP}/path",
        "app.example.com",
        "ftp://app.example.com",
        "https://",
        "https://a b",
        "https://user@host",
        "https://h:x",
        f"{APP}?",
        1,
        None,
    ]

    answer = alice.put(CORS, json={"origins": [APP, *wrong]}, headers={"If-Match": "*"})

    assert answer.status_code == 400
    assert {fault["attr"] for fault in answer.json()["errors"]} == {
        f"origins.{place}" for place in range(1, len(wrong) + 1)
    }
    assert alice.get(CORS).json() == {"origins": []}
    assert alice.put(CORS, json={"origins": [APP, "*"]}, headers={"If-Match": "*"}).status_code == 400


def test_a_change_needs_the_tag_of_what_it_replaces_and_is_in_the_audit(acme: House, alice: httpx.Client) -> None:
    from foretell.audit.models import Entry

    assert alice.put(CORS, json={"origins": [APP]}).status_code == 428
    assert alice.put(CORS, json={"origins": [APP]}, headers={"If-Match": '"stale"'}).status_code == 412
    assert (
        alice.put(CORS, json={"origins": [APP]}, headers={"If-Match": alice.get(CORS).headers["ETag"]}).status_code
        == 200
    )
    with acme.inside():
        last = Entry.objects.order_by("id").last()
    assert last is not None
    assert (last.action, last.after) == ("tenant.cors_changed", {"settings": {"cors_origins": [APP]}})


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("HTTPS://App.Example.COM", APP), (f"{APP}/", APP), (f"{APP}:443", APP), ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80", "http://[::1]"), ("*", "*"), ("https://*.example.com", None), ("https://exämple.com", None),
        ("https://a:99999", None), ("null", None),
    ],
)  # fmt: skip
def test_an_origin_is_kept_as_browsers_send_it(text: str, origin: str | None) -> None:
    assert normalised_origin(text) == origin
