"""Whoever a provider sends: known by a verified address, or new by the tenant's own rules; and in no other way."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Max
from django.utils import timezone

from foretell.accounts.flows.joining import set_sign_up
from foretell.accounts.identity_providers import provider as speaking
from foretell.accounts.identity_providers.services import remove_provider
from foretell.accounts.invitations import invite
from foretell.accounts.models import SignUp, User
from foretell.audit.models import Entry
from tests.accounts.flows.walking import Headless
from tests.accounts.identity_providers.conftest import BACK, begun, came, person, set_up
from tests.accounts.identity_providers.local_provider import LocalProvider
from tests.cast import PASSWORD, Cast, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import send, text_of


@pytest.fixture(autouse=True)
def by_invitation(acme: House) -> Iterator[None]:
    yield
    with acme.inside():
        set_sign_up(mode=SignUp.INVITATION)


def who(client: httpx.Client) -> str | None:
    found = re.search(r"Signed in as </span>([^<]+)<", client.get("/").text)
    return found[1] if found else None


def test_a_member_comes_in_by_a_verified_address(visitor: httpx.Client, work: LocalProvider) -> None:
    answer = came(visitor, work, person("bob"))

    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert who(visitor) == "bob"


def test_a_sign_up_that_nobody_verified_keeps_nobody_out(
    acme: House, visitor: httpx.Client, http_for: HttpFor, work: LocalProvider
) -> None:
    with acme.inside():
        set_sign_up(mode=SignUp.OPEN)
    stranger = Headless(http_for(None))
    stranger.post("auth/signup", username="eve", email="zoe@acme.example", password="a passphrase of Eve's own")

    assert came(visitor, work, person("zoe")).status_code == 302
    assert who(visitor) == "zoe"


def test_the_next_time_they_are_known_whatever_their_address_is_by_then(
    acme: House, visitor: httpx.Client, work: LocalProvider
) -> None:
    came(visitor, work, person("bob"))
    send(visitor, "/accounts/logout/", {}, form_at="/")

    came(visitor, work, person("bob", email="robert@elsewhere.example", email_verified=False))

    assert who(visitor) == "bob"
    with acme.inside():
        assert SocialAccount.objects.get().extra_data == {"email": "robert@elsewhere.example"}


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, [True]])
def test_an_address_that_the_provider_did_not_verify_is_nobodys(
    visitor: httpx.Client, work: LocalProvider, verified: Any
) -> None:
    answer = came(visitor, work, person("bob", email_verified=verified))

    assert answer.status_code == 403
    assert "verified" in text_of(answer)
    assert who(visitor) is None


def test_nor_is_one_that_was_never_verified_here(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    """Who took another's address for an account does not get its owner into it."""
    with acme.inside():
        User.objects.filter(username="bob").update(email_verified_at=None)
    try:
        assert came(visitor, work, person("bob")).status_code == 403
        assert who(visitor) is None
    finally:
        with acme.inside():
            User.objects.filter(username="bob").update(email_verified_at=timezone.now())


def test_a_provider_speaks_for_its_own_domains_only(
    acme: House, visitor: httpx.Client, provider: LocalProvider
) -> None:
    set_up(acme, provider, email_domains=["other.example"])

    answer = came(visitor, provider, person("bob"))

    assert answer.status_code == 403
    assert "does not speak for" in text_of(answer)


def test_a_stranger_is_not_let_in(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    answer = came(visitor, work, person("zoe"))

    assert answer.status_code == 403
    assert "invitation" in text_of(answer)
    with acme.inside():
        assert not User.objects.filter(username="zoe").exists()


def test_who_was_invited_comes_with_the_role_of_the_invitation(
    acme: House, visitor: httpx.Client, work: LocalProvider
) -> None:
    with acme.inside():
        invite(email="zoe@acme.example", role="editor", now=timezone.now())

    came(visitor, work, person("zoe", preferred_username="Zoë.K"))

    assert who(visitor) == "Zoë.K"
    with acme.inside():
        user = User.objects.get(email="zoe@acme.example")
        assert (user.role, user.has_usable_password(), user.email_verified_at is not None) == ("editor", False, True)


def test_an_invitation_that_is_over_lets_nobody_in(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    with acme.inside():
        invite(email="zoe@acme.example", role="editor", now=timezone.now() - timedelta(days=30))

    assert came(visitor, work, person("zoe")).status_code == 403


@pytest.mark.parametrize(
    ("mode", "joins_as", "role"),
    [
        (SignUp.OPEN, "", "viewer"), (SignUp.OPEN, "editor", "editor"), (SignUp.INVITATION, "viewer", "viewer"),
        (SignUp.INVITATION, "", None), (SignUp.CLOSED, "editor", None),
    ],
)  # fmt: skip
def test_others_come_as_the_tenant_and_its_owner_say(
    acme: House, visitor: httpx.Client, provider: LocalProvider, mode: SignUp, joins_as: str, role: str | None
) -> None:
    set_up(acme, provider, email_domains=["acme.example"], joins_as=joins_as)
    with acme.inside():
        set_sign_up(mode=mode)

    answer = came(visitor, provider, person("zoe"))

    assert answer.status_code == (403 if role is None else 302)
    with acme.inside():
        assert User.objects.filter(email="zoe@acme.example").values_list("role", flat=True).first() == role


@pytest.mark.parametrize(
    ("wanted", "name"), [("bob", "bob-2"), ("B O B", "bob-2"), ("", "zoe"), ("ev\u200bil\0", "evil"), ("x@y", "x")]
)
def test_a_newcomer_gets_a_name_that_nobody_has(
    acme: House, visitor: httpx.Client, provider: LocalProvider, wanted: str, name: str
) -> None:
    set_up(acme, provider, email_domains=["acme.example"], joins_as="viewer")

    came(visitor, provider, person("zoe", preferred_username=wanted))

    assert who(visitor) == name


def test_who_was_deactivated_stays_out(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    came(visitor, work, person("bob"))
    with acme.inside():
        User.objects.filter(username="bob").update(is_active=False)
    send(visitor, "/accounts/login/", {})

    came(visitor, work, person("bob"))

    assert visitor.get("/").status_code == 302


def test_a_second_factor_is_asked_for_here_as_well(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    with acme.inside():
        Authenticator.objects.create(user=acme.user("bob"), type="totp", data={"secret": "sealed"})

    assert came(visitor, work, person("bob")).headers["location"] == "/accounts/2fa/"
    assert visitor.get("/").status_code == 302


def test_what_happens_is_written_down(acme: House, visitor: httpx.Client, work: LocalProvider) -> None:
    with acme.inside():
        invite(email="zoe@acme.example", role="editor", now=timezone.now())
        start = Entry.objects.aggregate(at=Max("position"))["at"] or 0

    came(visitor, work, person("zoe"))

    with acme.inside():
        rows = list(Entry.objects.filter(position__gt=start).order_by("position"))
    assert [row.action for row in rows] == [
        "user.created",
        "invitation.accepted",
        "identity.connected",
        "session.started",
    ]
    assert [rows[0].credential, rows[1].credential, rows[3].credential] == ["provider", "provider", "provider"]


# --- tokens that do not hold ----------------------------------------------------------------------------------------------


LIES: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://accounts.example"},
    "for another client": {"aud": "another"},
    "for several, made for another": {"aud": ["foretell", "another"], "azp": "another"},
    "over": {"exp": 1},
    "without an end": {"exp": None},
    "of another sign-in": {"nonce": "another"},
    "without a nonce": {"nonce": None},
    "of nobody": {"sub": None},
    "of nobody in particular": {"sub": ""},
    "of a number": {"sub": 7},
    "of somebody with too long a name": {"sub": "x" * 300},
    "of somebody with no name": {"sub": "a\0b"},
    "not yet valid": {"nbf": 4_000_000_000},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(
    visitor: httpx.Client, work: LocalProvider, lie: dict[str, Any]
) -> None:
    assert came(visitor, work, {**person("bob"), **lie}).status_code == 403
    assert who(visitor) is None


def test_a_token_that_another_signed_lets_nobody_in(visitor: httpx.Client, work: LocalProvider) -> None:
    work.signs = False

    assert came(visitor, work, person("bob")).status_code == 403


def test_allauths_own_check_lets_through_what_another_signed(
    visitor: httpx.Client, work: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it looks at neither the signature nor a nonce where TLS is trusted to say whose token it is."""
    from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter

    monkeypatch.setattr(speaking.OIDCAdapter, "_decode_id_token", OpenIDConnectOAuth2Adapter._decode_id_token)
    work.signs = False

    assert came(visitor, work, person("bob", nonce="another")).status_code == 302


def test_userinfo_is_taken_of_the_same_person_only(visitor: httpx.Client, work: LocalProvider) -> None:
    work.userinfo = {"sub": "id-of-alice", "email": "alice@acme.example", "email_verified": True}
    assert came(visitor, work, person("bob", email=None)).status_code == 403

    work.userinfo = {"sub": "id-of-bob", "email": "bob@acme.example", "email_verified": True}
    assert came(visitor, work, person("bob", email=None, email_verified=None)).status_code == 302
    assert who(visitor) == "bob"


def test_a_state_is_used_once_and_in_its_own_session_and_tenant(
    cast: Cast, http_for: HttpFor, visitor: httpx.Client, work: LocalProvider
) -> None:
    set_up(cast.globex, work)
    work.claims = person("bob")
    back = work.authorize(begun(visitor))

    for where in ("acme", "globex"):
        other = http_for(None, tenant=where)
        other.headers["Accept"] = "text/html"
        assert other.get(BACK, params=back).status_code == 403
    assert visitor.get(BACK, params={**back, "state": "made-up"}).status_code == 403
    assert visitor.get(BACK, params=back).status_code == 302, "the control"
    assert visitor.get(BACK, params=back).status_code == 403


def test_a_code_of_another_sign_in_is_none_in_this_one(
    visitor: httpx.Client, http_for: HttpFor, work: LocalProvider
) -> None:
    """Somebody slips their own code into another's sign-in: the verifier and the nonce are of another one."""
    work.claims = person("erin")
    other = http_for(None, tenant="acme")
    other.headers["Accept"] = "text/html"
    theirs = work.authorize(begun(other))
    mine = work.authorize(begun(visitor))

    assert visitor.get(BACK, params={"code": theirs["code"], "state": mine["state"]}).status_code == 403
    assert who(visitor) is None


@pytest.mark.parametrize(
    ("params", "told"),
    [({"error": "access_denied"}, "did not go on"), ({"error": "server_error"}, "Begin again"), ({}, "Begin again")],
)
def test_who_comes_back_without_a_code_is_told(
    visitor: httpx.Client, work: LocalProvider, params: dict[str, str], told: str
) -> None:
    state = work.authorize(begun(visitor))["state"]

    answer = visitor.get(BACK, params={**params, "state": state})

    assert answer.status_code == 403
    assert told in text_of(answer)


def test_next_never_leads_out_of_the_tenant(visitor: httpx.Client, work: LocalProvider) -> None:
    assert came(visitor, work, person("bob"), next="https://evil.example/").headers["location"] == "/"


def test_a_link_sends_nobody_there(visitor: httpx.Client, work: LocalProvider) -> None:
    assert visitor.get("/accounts/oidc/work/login/").status_code == 405
    assert visitor.post("/accounts/oidc/work/login/").status_code == 403, "without a token of a form of ours"


def test_a_provider_that_is_not_there_is_not_there(visitor: httpx.Client, work: LocalProvider) -> None:
    assert visitor.get("/accounts/oidc/nothing/callback/").status_code == 404


# --- joining and parting --------------------------------------------------------------------------------------------------


@pytest.fixture
def bob(signed_in: SignedIn) -> httpx.Client:
    return signed_in("bob")


def test_an_account_is_joined_by_who_shows_once_more_that_it_is_them(
    acme: House, bob: httpx.Client, work: LocalProvider
) -> None:
    refused = send(bob, "/accounts/oidc/work/login/", {"process": "connect"}, form_at="/settings/security/")
    assert refused.headers["location"].startswith("/accounts/reauthenticate/")
    send(bob, refused.headers["location"], {"password": PASSWORD})

    answer = came(bob, work, person("robert", email="r@elsewhere.example", email_verified=False), process="connect")

    assert answer.headers["location"] == "/settings/security/"
    with acme.inside():
        assert SocialAccount.objects.get().user.username == "bob"


def test_an_account_of_somebody_else_is_joined_to_nobody_else(
    acme: House, bob: httpx.Client, visitor: httpx.Client, work: LocalProvider
) -> None:
    came(visitor, work, person("erin"))
    refused = send(bob, "/accounts/oidc/work/login/", {"process": "connect"}, form_at="/settings/security/")
    send(bob, refused.headers["location"], {"password": PASSWORD})

    answer = came(bob, work, person("erin"), process="connect")

    assert answer.status_code == 403
    with acme.inside():
        assert [row.user.username for row in SocialAccount.objects.all()] == ["erin"]


def test_where_a_provider_is_removed_or_moves_nobody_is_known_by_it_any_more(
    acme: House, visitor: httpx.Client, work: LocalProvider
) -> None:
    came(visitor, work, person("bob"))
    other = LocalProvider()
    try:
        set_up(acme, other)
        with acme.inside():
            assert not SocialAccount.objects.exists()
    finally:
        other.close()

    set_up(acme, work)
    send(visitor, "/accounts/logout/", {}, form_at="/")
    came(visitor, work, person("bob"))
    with acme.inside():
        remove_provider(slug="work")
        assert not SocialAccount.objects.exists()
