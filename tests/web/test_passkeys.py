"""Passkeys, from a device without a screen: a second step, and a sign-in of their own; for one tenant's own host."""

import html
import json
import re
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity

from foretell.accounts.second_factor.limits import ADDRESS
from tests.accounts.second_factor.device import Device
from tests.cast import PASSWORD, Cast, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token, send, sign_in, text_of
from tests.web.test_security import HOME, Done, confirmed, done  # noqa: F401  a fixture is used by name

ADD = f"{HOME}passkeys/add/"
ALONE = "/accounts/passkey/"


def options_on(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page, re.S)
    assert found is not None, text_of(httpx.Response(200, text=page))
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def added(client: httpx.Client, device: Device) -> httpx.Response:
    page = confirmed(client, ADD).text
    fields = {"name": "ring", "credential": device.create(options_on(page)), "passwordless": "on"}
    return client.post(ADD, data={"csrfmiddlewaretoken": csrf_token(page), **fields})


def used(client: httpx.Client, url: str, device: Device, **lies: Any) -> httpx.Response:
    page = client.get(url).text
    fields = {"credential": device.get(options_on(page), **lies)}
    return client.post(url, data={"csrfmiddlewaretoken": csrf_token(page), **fields})


@pytest.fixture
def bob(signed_in: SignedIn) -> httpx.Client:
    return signed_in("bob")


@pytest.fixture
def device(bob: httpx.Client) -> Device:
    """Bob's, with a passkey for acme."""
    device = Device()
    answer = added(bob, device)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{HOME}codes/")
    return device


def begun(http_for: HttpFor) -> httpx.Client:
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    assert sign_in(client, "bob", PASSWORD).headers["location"] == "/accounts/2fa/"
    return client


def test_it_is_for_the_tenants_own_host_and_shown_with_its_name(acme: House, bob: httpx.Client, device: Device) -> None:
    page = bob.get(ADD)

    assert options_on(page.text)["creation_options"]["publicKey"]["rp"] == {
        "id": "acme.localhost",
        "name": "Foretell acme",
    }
    assert "ring" in text_of(bob.get(HOME))


def test_it_is_a_second_step(http_for: HttpFor, device: Device) -> None:
    client = begun(http_for)

    assert used(client, "/accounts/2fa/", device).headers["location"] == "/"
    assert "bob" in client.get("/").text


def test_it_signs_in_without_a_password(visitor: httpx.Client, device: Device) -> None:
    answer = used(visitor, ALONE, device)

    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert "bob" in visitor.get("/").text


def test_a_challenge_is_answered_once(visitor: httpx.Client, device: Device) -> None:
    page = visitor.get(ALONE).text
    fields = {"credential": device.get(options_on(page)), "csrfmiddlewaretoken": csrf_token(page)}

    assert visitor.post(ALONE, data=fields).status_code == 302
    send(visitor, "/accounts/logout/", {}, form_at="/")
    again = {**fields, "csrfmiddlewaretoken": csrf_token(visitor.get(ALONE).text)}
    assert visitor.post(ALONE, data=again).status_code == 422


def test_a_passkey_of_acme_opens_nothing_at_globex(http_for: HttpFor, device: Device) -> None:
    there = http_for(None, tenant="globex")
    there.headers["Accept"] = "text/html"

    for origin in ("http://acme.localhost", "http://globex.localhost"):
        device.origin = origin
        assert used(there, ALONE, device).status_code == 422


def test_nor_where_its_row_was_copied_there(cast: Cast, http_for: HttpFor, device: Device) -> None:
    """A browser says whose page it is and signs for that host: neither is globex's."""
    with cast.acme.inside():
        data = Authenticator.objects.get(type="webauthn").data
    with cast.globex.inside():
        Authenticator.objects.create(user=cast.globex.user("carol"), type="webauthn", data=data)
    there = http_for(None, tenant="globex")
    there.headers["Accept"] = "text/html"
    assert sign_in(there, "carol", PASSWORD).headers["location"] == "/accounts/2fa/"

    assert used(there, "/accounts/2fa/", device, host="acme.localhost").status_code == 422

    device.origin = "http://globex.localhost"  # the control: what no browser says
    assert used(there, "/accounts/2fa/", device).status_code == 302


@pytest.mark.parametrize(
    "origin", ["http://evil.acme.localhost", "https://acme.localhost", "http://acme.localhost:81", "http://localhost"]
)
def test_a_page_of_a_subdomain_or_another_port_does_not_pass(
    visitor: httpx.Client, device: Device, origin: str
) -> None:
    device.origin = origin

    assert used(visitor, ALONE, device).status_code == 422


def test_the_librarys_own_check_lets_subdomains_pass(
    visitor: httpx.Client, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    party = PublicKeyCredentialRpEntity(id="acme.localhost", name="acme")
    monkeypatch.setattr(webauthn, "get_server", lambda: Fido2Server(party))
    device.origin = "https://evil.acme.localhost"

    assert used(visitor, ALONE, device).status_code == 302


def test_another_key_signs_nobody_in(visitor: httpx.Client, device: Device) -> None:
    forged = Device()
    forged.id, forged.user_handle = device.id, device.user_handle

    assert used(visitor, ALONE, forged).status_code == 422


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '"x"', '{"response": {}}', '{"id": 1}', "nonsense", '{"response": []}']
)
def test_what_is_no_credential_is_refused(visitor: httpx.Client, credential: str) -> None:
    assert send(visitor, ALONE, {"credential": credential}).status_code == 422


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
def test_nor_is_one_with_a_part_that_is_broken(visitor: httpx.Client, device: Device, part: str) -> None:
    lies: tuple[Any, ...] = (None, 1, [], {}, "", "!", "AAAA", "bnVsbA")
    for lie in lies:
        page = visitor.get(ALONE).text
        credential = json.loads(device.get(options_on(page)))
        credential["response"][part] = lie
        sent = {"csrfmiddlewaretoken": csrf_token(page), "credential": json.dumps(credential)}
        assert visitor.post(ALONE, data=sent).status_code == 422, lie


def test_it_is_renamed_and_removed_and_each_change_is_written_down(
    acme: House,
    bob: httpx.Client,
    device: Device,
    done: Done,  # noqa: F811
) -> None:
    with acme.inside():
        row = Authenticator.objects.get(type="webauthn")

    assert send(bob, f"{HOME}passkeys/{row.pk}/", {"name": "desk"}).headers["location"] == HOME
    assert send(bob, f"{HOME}passkeys/{row.pk}/remove/", {}).headers["location"] == HOME

    assert done()[-3:] == ["mfa.passkey_renamed", "mfa.passkey_removed", "mfa.recovery_codes_removed"]


def test_anothers_passkey_is_not_there(acme: House, device: Device, signed_in: SignedIn) -> None:
    with acme.inside():
        row = Authenticator.objects.get(type="webauthn")
    erin = signed_in("erin")
    assert confirmed(erin, ADD).status_code == 200

    assert erin.get(f"{HOME}passkeys/{row.pk}/").status_code == 404
    assert erin.get(f"{HOME}passkeys/{row.pk}/remove/").status_code == 404


def test_it_confirms_who_one_is(bob: httpx.Client, device: Device) -> None:
    url = f"/accounts/reauthenticate/passkey/?next={HOME}app/"

    assert used(bob, url, device).headers["location"] == f"{HOME}app/"


def test_challenges_are_limited_by_address(visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.accounts.second_factor.limits.client_of", lambda request: "203.0.113.9")

    answers = {visitor.get(ALONE).status_code for _ in range(ADDRESS.rate.burst)}

    assert answers == {200}
    assert visitor.get(ALONE).status_code == 429
    assert visitor.get("/api/v1/auth/webauthn/login").status_code == 429
