import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from foretell.accounts.identity_providers.services import set_provider
from tests.accounts.identity_providers.local_provider import CLIENT, SECRET, LocalProvider
from tests.cast import House
from tests.web.conftest import SignedIn, signed_in, visitor  # noqa: F401  fixtures are used by name
from tests.web.pages import csrf_token

TO, BACK = "/accounts/oidc/work/login/", "/accounts/oidc/work/callback/"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProvider]:
    """A provider at http on this machine, which providers of a production installation are not."""
    monkeypatch.setattr("django.conf.settings.OIDC_PRIVATE", True)
    made = LocalProvider()
    yield made
    made.close()


@pytest.fixture
def work(acme: House, provider: LocalProvider) -> LocalProvider:
    """The same, set up at acme as `work`."""
    set_up(acme, provider)
    return provider


def set_up(house: House, provider: LocalProvider, **fields: Any) -> None:
    with house.inside():
        set_provider(
            **{
                "slug": "work",
                "name": "Work",
                "issuer": provider.issuer,
                "client_id": CLIENT,
                "secret": SECRET,
                **fields,
            }
        )


def begun(client: httpx.Client, **fields: str) -> str:
    """Set out for the provider; return the address that one is led to."""
    token = csrf_token(client.get("/accounts/login/" if "process" not in fields else "/settings/security/").text)
    page = client.post(TO, data={"csrfmiddlewaretoken": token, **fields})
    assert page.status_code == 200, page.text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    assert found is not None
    return html.unescape(found[1])


def came(client: httpx.Client, provider: LocalProvider, claims: dict[str, Any], **fields: str) -> httpx.Response:
    """Go there as somebody of whom the provider says this, and come back."""
    provider.claims = claims
    return client.get(BACK, params=provider.authorize(begun(client, **fields)))


def person(name: str, **claims: Any) -> dict[str, Any]:
    return {"sub": f"id-of-{name}", "email": f"{name}@acme.example", "email_verified": True, **claims}
