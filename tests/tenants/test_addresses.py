"""Which address leads to which tenant, and that no other does."""

import httpx
import pytest
from django.test import override_settings

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


def tenant_at(client: httpx.Client, house: House, host: str, path: str = "/api/v1/me/") -> str | int:
    """Return the tenant's name that Alice's key finds there, or the status."""
    answer = client.get(path, headers={"Host": host, "X-API-Key": house.people["alice"].key})
    return str(answer.json()["tenant"]) if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize(
    "host", ["acme.localhost", "acme.localhost:8000", "ACME.LocalHost", "acme.localhost.", "Acme.localhost.:80"]
)
def test_a_host_is_found_however_it_is_written(http_for: HttpFor, acme: House, host: str) -> None:
    assert tenant_at(http_for(None), acme, host) == "acme"


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "localhost", "acme", "acme.localhost..", "acme.localhost.evil.example", "evil-acme.localhost", "x.acme.localhost",
        "www.acme.localhost", "acme.localhost@evil.example", "acme.localhost/", "acme.localhost:8000:1", "acme.localhost:99999999",
        "acme.localhost, globex.localhost", "acme.localhost,acme.localhost", "[::1", "a" * 300, "acme.localhost#", "*.localhost", "127.0.0.1",
        "acme localhost", "acme.localhost%00", "public.localhost", "t_.localhost", "../acme.localhost",
    ],
)  # fmt: skip
def test_any_other_host_is_404_with_one_constant_body(http_for: HttpFor, acme: House, host: str) -> None:
    from foretell.problems import UNKNOWN_ADDRESS

    answer = http_for(None).get("/api/v1/me/", headers={"Host": host, "X-API-Key": acme.people["alice"].key})

    assert (answer.status_code, answer.content) == (404, UNKNOWN_ADDRESS)


def test_an_unknown_prefix_has_the_same_body(http_for: HttpFor) -> None:
    from foretell.problems import UNKNOWN_ADDRESS

    for path in ("/t/nobody/", "/t/nobody/api/v1/me/", "/t/nobody/accounts/login/"):
        assert http_for(None).get(path, headers={"Accept": "text/html"}).content == UNKNOWN_ADDRESS


def test_two_host_headers_are_refused(http_for: HttpFor, acme: House) -> None:
    key = ("X-API-Key", acme.people["alice"].key)
    twice = [("Host", "acme.localhost"), ("Host", "globex.localhost"), key]

    assert http_for(None).get("/api/v1/me/", headers=twice).status_code == 404
    assert (
        http_for(None).get("/api/v1/me/", headers=[("Host", "acme.localhost"), key]).status_code == 200
    )  # the control


def test_what_a_proxy_might_say_of_the_host_counts_for_nothing(http_for: HttpFor, acme: House) -> None:
    forged = {
        "X-Forwarded-Host": "acme.localhost",
        "Forwarded": "host=acme.localhost",
        "X-API-Key": acme.people["alice"].key,
    }

    assert http_for(None, tenant="globex").get("/api/v1/me/", headers=forged).status_code == 401


@pytest.mark.parametrize("host", ["localhost", "acme.localhost", "globex.localhost", "10.1.2.3:8000"])
def test_the_prefix_leads_to_its_tenant_at_any_host(http_for: HttpFor, acme: House, host: str) -> None:
    assert tenant_at(http_for(None), acme, host, "/t/acme/api/v1/me/") == "acme"


@pytest.mark.parametrize(
    "path",
    [
        "/t/ACME/api/v1/me/",
        "/t//acme/api/v1/me/",
        "/t/acme./api/v1/me/",
        "//t/acme/api/v1/me/",
        "/t/acme/t/globex/api/v1/me/",
    ],
)
def test_what_only_looks_like_a_prefix_is_none(http_for: HttpFor, acme: House, path: str) -> None:
    answer = http_for(None, tenant="globex").get(
        "http://globex.localhost" + path, headers={"X-API-Key": acme.people["alice"].key}
    )

    assert answer.status_code in (401, 404)


def test_the_prefix_wins_over_the_host_and_its_keys_are_its_own(http_for: HttpFor, acme: House, globex: House) -> None:
    client = http_for(None, tenant="globex")

    assert client.get("/t/acme/api/v1/me/", headers={"X-API-Key": acme.people["alice"].key}).status_code == 200
    assert client.get("/t/acme/api/v1/me/", headers={"X-API-Key": globex.people["carol"].key}).status_code == 401


def test_the_bare_prefix_is_sent_on_to_its_slash(http_for: HttpFor) -> None:
    moved = http_for(None).get("/t/acme")

    assert (moved.status_code, moved.headers["Location"]) == (308, "/t/acme/")


def test_links_below_a_prefix_stay_below_it(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    alice = http_for("alice")

    below = alice.get("/t/acme/api/v1/models/").json()["results"][0]["url"]
    at_host = alice.get("/api/v1/models/").json()["results"][0]["url"]

    assert below.endswith("/t/acme/api/v1/models/sum/")
    assert at_host == "http://acme.localhost/api/v1/models/sum/"


def test_one_request_below_a_prefix_leaves_nothing_for_the_next(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    alice = http_for("alice")
    alice.get("/t/acme/api/v1/models/")

    assert "/t/acme/" not in alice.get("/api/v1/models/").text


def test_a_tenant_is_also_found_after_the_base_domain_was_changed(http_for: HttpFor, acme: House) -> None:
    with override_settings(BASE_DOMAIN="models.example.com"):
        assert tenant_at(http_for(None), acme, "acme.models.example.com") == "acme"
        assert tenant_at(http_for(None), acme, "acme.localhost") == "acme"
        assert tenant_at(http_for(None), acme, "models.example.com") == 404
    assert tenant_at(http_for(None), acme, "acme.models.example.com") == 404


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("[::1]:8000", "::1"),
        ("\udcff", None),
        ("ü" * 80, None),
        ("a_b.example", "a_b.example"),
    ],
)
def test_hosts_are_normalised_to_ascii(header: str, host: str | None) -> None:
    from foretell.addresses import normalised_host

    assert normalised_host(header) == host
