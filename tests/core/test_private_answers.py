"""What is somebody's is kept by no cache for somebody else, whichever credential they showed."""

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.web.conftest import SignedIn, signed_in  # noqa: F401  a fixture is used by name


@pytest.mark.parametrize(
    "path", ["/api/v1/users/", "/api/v1/users/?format=csv", "/api/v1/audit/", "/api/v1/me/", "/nowhere/"]
)
def test_an_answer_of_the_api_is_private(acme: House, http_for: HttpFor, path: str) -> None:
    client = http_for(None, tenant="acme")
    client.headers["X-API-Key"] = acme.people["alice"].key

    assert client.get(path).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/", "/settings/members/", "/settings/audit/"])
def test_so_is_a_page(signed_in: SignedIn, path: str) -> None:  # noqa: F811
    assert signed_in("alice").get(path).headers["Cache-Control"] == "private, no-cache"


def test_what_says_more_of_caches_is_left_alone(alice: httpx.Client) -> None:
    assert "public" in alice.get("/.well-known/jwks.json").headers["Cache-Control"]
    assert "max-age" in alice.get("/static/web/foretell.css").headers["Cache-Control"]
