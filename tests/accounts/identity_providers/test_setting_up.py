"""An owner sets providers up, by REST, page and command; the secret is never shown, and what they typed in is asked with care."""

import json
from typing import Any

import httpx
import pytest
import requests
from allauth.socialaccount.models import SocialAccount

from foretell.accounts.identity_providers.errors import InvalidProvider
from foretell.accounts.identity_providers.fetching import fetch_json
from foretell.accounts.identity_providers.joining import disconnect
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.models import User
from foretell.cli import app as cli
from tests.accounts.identity_providers.conftest import set_up
from tests.accounts.identity_providers.local_provider import SECRET, LocalProvider
from tests.cast import PASSWORD, Cast, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import send, text_of

API = "/api/v1/identity-providers/"
WORK = {"name": "Work", "issuer": "https://id.example", "client_id": "foretell", "secret": SECRET}


def test_an_owner_sets_one_up_changes_it_and_removes_it(acme: House, alice: httpx.Client) -> None:
    made = alice.put(f"{API}work/", json={**WORK, "email_domains": ["ACME.example"]})
    changed = alice.put(f"{API}work/", json={key: value for key, value in WORK.items() if key != "secret"})

    assert (made.status_code, made.json()["email_domains"]) == (200, ["acme.example"])
    assert made.json()["callback_url"] == "http://acme.localhost/accounts/oidc/work/callback/"
    assert (changed.status_code, changed.json()["email_domains"]) == (200, [])
    with acme.inside():
        assert IdentityProvider.objects.get().secret == SECRET, "a secret that is not given stays"
    assert [row["slug"] for row in alice.get(API).json()] == ["work"]
    assert alice.delete(f"{API}work/").status_code == 204
    assert alice.get(f"{API}work/").status_code == 404


def test_the_secret_is_shown_nowhere_and_kept_sealed(cast: Cast, alice: httpx.Client, signed_in: SignedIn) -> None:
    answers = [alice.put(f"{API}work/", json=WORK), alice.get(API), alice.get(f"{API}work/")]
    browser = signed_in("alice")
    answers += [
        browser.get("/settings/identity/"),
        browser.get("/settings/identity/work/"),
        browser.get("/settings/audit/"),
    ]

    assert not any(SECRET in answer.text for answer in answers)
    with cast.acme.inside():
        sealed = IdentityProvider.objects.get().sealed_secret
    assert SECRET not in sealed
    with cast.globex.inside():
        copied = IdentityProvider(sealed_secret=sealed)
        assert copied.secret == ""


@pytest.mark.parametrize(
    ("wrong", "attr"),
    [
        ({"issuer": "http://id.example"}, "issuer"), ({"issuer": "id.example"}, "issuer"), ({"issuer": "javascript:alert(1)"}, "issuer"),
        ({"email_domains": ["no domain"]}, "email_domains"), ({"email_domains": ["@acme.example"]}, "email_domains"),
        ({"joins_as": "viewer"}, "joins_as"), ({"joins_as": "admin"}, "joins_as"), ({"secret": ""}, "secret"), ({"client_id": ""}, "client_id"),
        ({"name": "x" * 41}, "name"), ({"more": 1}, "more"), ({"slug": "x"}, "slug"), ({"client_id": 7}, "client_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_400_with_the_field(alice: httpx.Client, wrong: dict[str, Any], attr: str) -> None:
    answer = alice.put(f"{API}work/", json={**WORK, **wrong})

    assert answer.status_code == 400
    assert attr in {error["attr"].partition(".")[0] for error in answer.json()["errors"]}


def test_a_new_one_needs_a_secret_and_a_name_for_addresses(alice: httpx.Client) -> None:
    without = {key: value for key, value in WORK.items() if key != "secret"}

    assert alice.put(f"{API}work/", json=without).json()["errors"][0]["attr"] == "secret"
    assert alice.put(f"{API}Work_1/", json=WORK).status_code == 400


def test_an_admin_does_not(acme: House, http_for: HttpFor) -> None:
    """Whoever runs a provider can say that they are the owner."""
    assert http_for("adam").put(f"{API}work/", json=WORK).status_code == 403


def test_an_owner_does_it_on_pages(acme: House, signed_in: SignedIn) -> None:
    alice, page = signed_in("alice"), "/settings/identity/"

    refused = send(alice, page, {**WORK, "slug": "work", "issuer": "http://id.example", "joins_as": ""})
    assert refused.status_code == 422
    assert "no address of https" in text_of(refused)
    assert (
        send(
            alice, page, {**WORK, "slug": "work", "email_domains": "a.example, b.example", "joins_as": "viewer"}
        ).headers["location"]
        == page
    )
    with acme.inside():
        assert IdentityProvider.objects.get().email_domains == ["a.example", "b.example"]
    assert (
        send(alice, f"{page}work/", {**WORK, "name": "Other", "secret": "", "joins_as": ""}).headers["location"] == page
    )
    assert "Other" in text_of(alice.get("/settings/identity/"))
    assert send(alice, f"{page}work/", {"do": "remove"}).headers["location"] == page
    with acme.inside():
        assert not IdentityProvider.objects.exists()


def test_an_operator_does_it_at_the_command_line(
    acme: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        monkeypatch.setattr("sys.argv", ["foretell", "identity", *words, "--tenant", "acme", "--json"])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        assert not caught.value.code
        return json.loads(capsys.readouterr().out)

    monkeypatch.setenv("FORETELL_OIDC_SECRET", SECRET)
    made = run("set", "work", "--issuer", "https://id.example/", "--client-id", "c", "--domain", "acme.example")
    assert (made["issuer"], made["email_domains"]) == ("https://id.example", ["acme.example"])
    assert SECRET not in str(made)
    assert [row["slug"] for row in run("list")] == ["work"]
    assert run("remove", "work")["state"] == "removed"


def test_the_login_page_offers_it(acme: House, visitor: httpx.Client) -> None:
    assert "Sign in by" not in text_of(visitor.get("/accounts/login/"))
    with acme.inside():
        made = IdentityProvider(slug="work", name="Work & <b>", issuer="https://id.example", client_id="c")
        made.secret = SECRET
        made.save()

    assert "Sign in by Work & <b>" in text_of(visitor.get("/accounts/login/"))


def test_who_has_no_other_way_in_keeps_it(acme: House) -> None:
    with acme.inside():
        user = User.objects.create(username="sso", email="sso@acme.example", password="!")
        SocialAccount.objects.bulk_create(
            [SocialAccount(user=user, provider=name, uid=name) for name in ("one", "two")]
        )

        disconnect(user=user, slug="one")
        with pytest.raises(Exception, match="nothing else"):
            disconnect(user=user, slug="two")
        assert SocialAccount.objects.count() == 1


def test_one_parts_on_the_security_page_and_shows_once_more_who_one_is(
    acme: House, signed_in: SignedIn, work: LocalProvider
) -> None:
    with acme.inside():
        SocialAccount.objects.bulk_create([SocialAccount(user=acme.user("bob"), provider="work", uid="x")])
    bob, page = signed_in("bob"), "/settings/security/identities/work/remove/"
    asked = bob.get(page).headers["location"]
    assert asked.startswith("/accounts/reauthenticate/")
    send(bob, asked, {"password": PASSWORD})

    assert send(bob, page, {}).headers["location"] == "/settings/security/"

    with acme.inside():
        assert not SocialAccount.objects.exists()


# --- what is asked --------------------------------------------------------------------------------------------------------


def test_addresses_of_this_machine_and_its_network_are_not_asked(
    provider: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetch_json(f"{provider.issuer}/jwks"), "the control"
    provider.asked.clear()
    monkeypatch.setattr("django.conf.settings.OIDC_PRIVATE", False)
    monkeypatch.setattr("foretell.accounts.identity_providers.fetching.check_url", lambda url: None)

    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0", "2130706433"):
        with pytest.raises(requests.RequestException):
            fetch_json(f"http://{host}:{provider.issuer.rpartition(':')[2]}/jwks")

    assert provider.asked == []


@pytest.mark.parametrize(
    "url", ["http://id.example/", "ftp://id.example/", "file:///etc/passwd", "//id.example", "https:id.example", ""]
)
def test_nothing_is_asked_but_by_https(url: str) -> None:
    with pytest.raises(requests.RequestException):
        fetch_json(url)


def test_no_redirect_is_followed(provider: LocalProvider) -> None:
    provider.status, provider.location = 302, f"{provider.issuer}/userinfo"

    with pytest.raises(requests.RequestException, match="redirect"):
        fetch_json(f"{provider.issuer}/jwks")
    assert provider.asked == ["/jwks"]


def test_an_answer_is_no_longer_than_it_has_to_be(provider: LocalProvider) -> None:
    provider.configuration = {"more": "x" * 600_000}

    with pytest.raises(requests.RequestException, match="too long"):
        fetch_json(f"{provider.issuer}/.well-known/openid-configuration")


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://other.example"}, {"jwks_uri": None}, {"authorization_endpoint": "javascript:alert(1)"}, {"issuer": 7},
        {"token_endpoint": ["x"]}, {"authorization_endpoint": {}},
    ],
)  # fmt: skip
def test_a_provider_that_speaks_for_another_or_leads_elsewhere_is_not_gone_to(
    visitor: httpx.Client, work: LocalProvider, configuration: dict[str, Any]
) -> None:
    work.configuration = configuration

    answer = send(visitor, "/accounts/oidc/work/login/", {}, form_at="/accounts/login/")

    assert answer.status_code in (200, 403)
    assert "javascript" not in answer.text
    assert answer.status_code == 403 or "token_endpoint" in configuration, "what is asked later is looked at later"


def test_a_provider_that_is_away_is_told_to_people(acme: House, visitor: httpx.Client, provider: LocalProvider) -> None:
    set_up(acme, provider)
    provider.close()

    answer = send(visitor, "/accounts/oidc/work/login/", {}, form_at="/accounts/login/")

    assert answer.status_code == 403
    assert "Begin again" in text_of(answer)


def test_twenty_are_enough(acme: House) -> None:
    from foretell.accounts.identity_providers.services import set_provider

    with acme.inside():
        IdentityProvider.objects.bulk_create(
            [IdentityProvider(slug=f"p{n}", name="p", issuer="https://x.example", client_id="c") for n in range(20)]
        )
        with pytest.raises(InvalidProvider, match="20 providers"):
            set_provider(slug="one-more", name="p", issuer="https://x.example", client_id="c", secret=SECRET)
