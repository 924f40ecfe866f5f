"""A browser without a screen: pages as HTML, a session, and forms that are sent as a person sends them."""

from collections.abc import Callable

import httpx
import pytest

from tests.cast import PASSWORD
from tests.http import HttpFor
from tests.web.pages import sign_in

SignedIn = Callable[..., httpx.Client]


@pytest.fixture
def visitor(http_for: HttpFor) -> httpx.Client:
    """Nobody yet, at acme's door."""
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    return client


@pytest.fixture
def signed_in(http_for: HttpFor) -> SignedIn:
    """``signed_in("alice")``: her session at her own tenant's pages."""

    def open_session(person: str, *, tenant: str = "acme") -> httpx.Client:
        client = http_for(None, tenant=tenant)
        client.headers["Accept"] = "text/html"
        assert sign_in(client, person, PASSWORD).status_code == 302
        return client

    return open_session
