"""Every address that changes something leaves a row of the audit; one without a recipe here fails."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.urls import get_resolver

from foretell.accounts.models import User
from foretell.audit.models import Entry
from foretell.audit.refusals import SAFE
from tests.admin import addresses
from tests.cast import PASSWORD, House, Person
from tests.http import HttpFor, http_client
from tests.permission_matrix import API, INVITATION, MATCH, MATRIX, PROMOTION, PROVIDER, ROBOT, named
from tests.test_permissions import furnished  # noqa: F401  fixtures are used by name
from tests.web.conftest import SignedIn

SUM = f"{API}/models/sum"
Steps = tuple[tuple[str, str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Recipe:
    """What to ask so that something changes, and what the audit then says. Where nothing is said, what the matrix of permissions asks.

    first : what has to be there before, asked by the same person.
    at : the page whose form it is, where that is another one.
    """

    action: str
    by: str = "alice"
    path: str = ""
    request: dict[str, Any] | None = None
    first: Steps = ()
    at: str = ""


def json(**fields: Any) -> dict[str, Any]:
    return {"json": fields}


def form(**fields: Any) -> dict[str, Any]:
    return {"data": fields}


# fmt: off
RECIPES: dict[tuple[str, str], Recipe] = {
    ("PATCH", "accounts:me"): Recipe("user.email_change_requested", by="zoe", request=json(email="z@acme.example", current_password=PASSWORD)),
    ("POST", "accounts:leave"): Recipe("user.removed", by="zoe", request=json(username="zoe")),
    ("DELETE", "accounts:sessions"): Recipe("session.all_ended"),
    ("PUT", "accounts:sign-up"): Recipe("tenant.sign_up_changed"),
    ("POST", "accounts:ownership"): Recipe("user.role_changed"),
    ("POST", "accounts:keys"): Recipe("key.created"),
    ("DELETE", "accounts:key"): Recipe("key.revoked"),
    ("POST", "accounts:key-roll"): Recipe("key.rolled"),
    ("POST", "accounts:users"): Recipe("user.created"),
    ("PATCH", "accounts:user"): Recipe("user.role_changed"),
    ("DELETE", "accounts:user"): Recipe("user.removed"),
    ("POST", "accounts:invitations"): Recipe("invitation.created"),
    ("DELETE", "accounts:invitation"): Recipe("invitation.revoked"),
    ("POST", "accounts:invitation-accept"): Recipe("invitation.accepted", by="new@acme.example"),
    ("PUT", "accounts:identity-provider"): Recipe("identity_provider.set"),
    ("DELETE", "accounts:identity-provider"): Recipe(
        "identity_provider.removed", first=(("PUT", f"{API}/identity-providers/work/", PROVIDER),)
    ),
    ("POST", "registry:models"): Recipe("model.created"),
    ("PUT", "registry:model"): Recipe("model.changed"),
    ("PATCH", "registry:model"): Recipe("model.changed"),
    ("DELETE", "registry:model"): Recipe("model.archived"),
    ("POST", "registry:versions"): Recipe("version.pushed"),
    ("PUT", "registry:version"): Recipe("version.changed"),
    ("PATCH", "registry:version"): Recipe("version.changed"),
    ("DELETE", "registry:version"): Recipe("version.deleted"),
    ("PUT", "registry:version-tags"): Recipe("version.changed"),
    ("PUT", "registry:version-tag"): Recipe("version.changed"),
    ("DELETE", "registry:version-tag"): Recipe("version.changed", first=(("PUT", f"{SUM}/versions/1/tags/team/", json(value="a")),)),
    ("PUT", "registry:version-metrics"): Recipe("version.changed"),
    ("PUT", "registry:version-metric"): Recipe("version.changed"),
    ("DELETE", "registry:version-metric"): Recipe("version.changed", first=(("PUT", f"{SUM}/versions/1/metrics/f1/", json(value=0.5)),)),
    ("PUT", "registry:model-tags"): Recipe("model.changed"),
    ("PUT", "registry:model-tag"): Recipe("model.changed"),
    ("DELETE", "registry:model-tag"): Recipe("model.changed", first=(("PUT", f"{SUM}/tags/team/", json(value="a")),)),
    ("PUT", "registry:card"): Recipe("card.written"),
    ("DELETE", "registry:card"): Recipe("card.deleted", first=(("PUT", f"{SUM}/card/", json(text="# Sum")),)),
    ("PATCH", "registry:access"): Recipe("model.access_changed"),
    ("PUT", "registry:grant"): Recipe("grant.given"),
    ("DELETE", "registry:grant"): Recipe("grant.taken"),
    ("POST", "registry:promotion-approve"): Recipe("promotion.approved"),
    ("POST", "registry:promotion-decline"): Recipe("promotion.declined"),
    ("POST", "registry:promotion-withdraw"): Recipe("promotion.withdrawn", by="adam", first=(
        ("PATCH", f"{SUM}/access/", json(four_eyes=True)),
        ("POST", f"{SUM}/aliases/", json(alias="canary", version=1)),
    )),
    ("POST", "registry:aliases"): Recipe("alias.moved"),
    ("PUT", "registry:alias"): Recipe("alias.moved"),
    ("DELETE", "registry:alias"): Recipe("alias.deleted"),
    ("POST", "registry:rollback"): Recipe("alias.rolled_back", first=(("PUT", f"{SUM}/aliases/champion/", {**json(version=2), **MATCH}),)),
    ("PUT", "registry:cors"): Recipe("tenant.cors_changed"),
    ("POST", "tokens:token"): Recipe("token.issued", path="/api/token/", request=json(username="bob", password=PASSWORD)),
    ("POST", "tokens:refresh"): Recipe("token.refreshed", path="/api/token/refresh/"),
    ("POST", "tokens:revoke"): Recipe("token.revoked", path="/api/token/revoke/"),
    ("POST", "web:login"): Recipe("session.started"),
    ("POST", "web:logout"): Recipe("session.ended"),
    ("POST", "account_login"): Recipe("session.started"),
    ("POST", "account_logout"): Recipe("session.ended"),
    ("POST", "web:invitation"): Recipe("invitation.accepted"),
}
PAGES: dict[tuple[str, str], Recipe] = {
    ("POST", "web:access"): Recipe("grant.given", path="/models/sum/access/", request=form(do="grant", user="bob", actions=["push"])),
    ("POST", "web:promotion"): Recipe("promotion.declined", path=f"/promotions/{PROMOTION}/", request=form(verb="decline"), at="/promotions/"),
    ("POST", "web:keys"): Recipe("key.created", path="/settings/keys/", request=form(name="k", scopes=["predict"])),
    ("POST", "web:identity"): Recipe("identity_provider.set", path="/settings/identity/", request=form(slug="work", **PROVIDER["json"])),
    ("POST", "web:key-roll"): Recipe("key.rolled", path="/settings/keys/robotrobot/roll/", request=form(grace_s="1")),
    ("POST", "web:key-revoke"): Recipe("key.revoked", path="/settings/keys/robotrobot/revoke/", request=form()),
    ("POST", "web:account"): Recipe("user.email_change_requested", by="zoe", path="/settings/account/", request=form(
        do="details", username="zoe", email="z@acme.example", current_password=PASSWORD)),
    ("POST", "web:sessions"): Recipe("session.all_ended", path="/settings/sessions/", request=form(do="others")),
    ("POST", "web:sign-up-policy"): Recipe("tenant.sign_up_changed", path="/settings/sign-up/", request=form(mode="open")),
    ("POST", "web:members"): Recipe("user.created", path="/settings/members/", request=form(username="ci", role="editor")),
    ("POST", "web:member"): Recipe("user.role_changed", path=f"/settings/members/{ROBOT}/", request=form(do="role", role="editor")),
    ("POST", "web:member-remove"): Recipe("user.removed", path=f"/settings/members/{ROBOT}/remove/", request=form()),
    ("POST", "web:invitations"): Recipe("invitation.created", path="/settings/invitations/", request=form(email="n@acme.example", role="viewer")),
    ("POST", "web:invitation-revoke"): Recipe("invitation.revoked", path=f"/settings/invitations/{INVITATION}/revoke/", request=form()),
    ("POST", "web:transfer"): Recipe("user.role_changed", path="/settings/ownership/", request=form(to="adam", is_sure="on")),
    ("POST", "web:leave"): Recipe("user.removed", by="zoe", path="/settings/leave/", request=form(username="zoe")),
}
RECIPES |= PAGES
# fmt: on
#: What is sent, and changes nothing: predictions have a log of their own.
CHANGES_NOTHING = {
    ("POST", "registry:predict"),
    ("POST", "registry:predict-slashless"),
    ("POST", "registry:predict-alias"),
    ("POST", "registry:predict-alias-slashless"),
    ("POST", "registry:predict-version"),
    ("POST", "registry:predict-version-slashless"),
    ("POST", "web:model"),
    ("POST", "tokens:verify"),
}  # fmt: skip
#: Pages that are only read. A page does not say what it takes, so each is in one of these lists.
READ_PAGES = {
    "web:catalogue",
    "web:audit",
    "web:promotions",
    "web:settings",
    "tokens:jwks",
    "account_email",
    "account_change_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "mfa_index",
    "mfa_view_recovery_codes",
} | addresses.READ
#: Of second factors: tests/web/test_security.py, and test_passkeys.py beside it.
SECOND_FACTORS = {("POST", f"mfa_{name}") for name in (
    "activate_totp", "deactivate_totp", "generate_recovery_codes", "add_webauthn", "edit_webauthn", "remove_webauthn", "authenticate",
    "reauthenticate", "reauthenticate_webauthn", "login_webauthn", "give_up",
)} | {("DELETE", "accounts:user-second-factor")} | {("POST", f"headless:{name}") for name in (
    "mfa-authenticate", "mfa-reauthenticate", "passkey-authenticate", "passkey-reauthenticate", "passkey-login", "authenticators", "totp",
    "recovery-codes", "passkeys",
)}  # fmt: skip
#: Of identity providers: tests/accounts/identity_providers.
PROVIDERS = {
    ("POST", "openid_connect_login"),
    ("POST", "openid_connect_callback"),
    ("POST", "identity_disconnect"),
    ("POST", "web:identity-provider"),
}
#: Through the admin: tests/admin/test_writing.py.
ADMIN = {("POST", name) for name in addresses.CHANGES}
#: Walked through in tests/accounts/flows, where their rows are looked at.
FLOWS = {("POST", f"account_{name}") for name in (
    "signup", "email_verification_sent", "reset_password", "reset_password_from_key", "reauthenticate",
)} | {("POST", f"headless:{name}") for name in (
    "config", "session", "sessions", "login", "signup", "verify-email", "resend-code", "request-reset", "reset-password", "reauthenticate",
    "change-password",
)} | {("DELETE", "accounts:session"), ("POST", "web:session-end")}  # fmt: skip
BY_LINK = "accounts:invitation-accept"
OF_REST = sorted(key for key in RECIPES if not key[1].startswith(("tokens:", "web:", "account_", BY_LINK)))


@pytest.fixture(autouse=True)
def zoe(acme: House) -> Iterator[None]:
    """Somebody who may change her account and leave, which the cast must not."""
    from foretell.accounts.services import create_key, create_user

    with acme.inside():
        user = create_user(username="zoe", email="zoe@acme.example", password=PASSWORD)
        key, secret = create_key(user=user, name="test", scopes=["admin"])
    acme.people["zoe"] = Person("zoe", "viewer", secret, key.key_id)
    yield
    del acme.people["zoe"]


def end_of(house: House) -> int:
    with house.inside():
        row: Entry | None = Entry.objects.order_by("-position").first()
        return (row.position or 0) if row else 0


def rows_since(house: House, end: int) -> list[Entry]:
    with house.inside():
        return list(Entry.objects.filter(position__gt=end).order_by("position"))


def secrets_in(rows: list[Entry], house: House, answer: httpx.Response) -> list[str]:
    """Return what a row must never hold: passwords, keys, tokens, and what is stored of them; of everybody, and what was just given out."""
    from foretell.accounts.models import APIKey

    with house.inside():
        stored = [
            *User.objects.values_list("password", flat=True),
            *APIKey.objects.values_list("secret_digest", flat=True),
        ]
    shown = answer.json() if answer.content else {}
    given = [str(shown[name]) for name in ("api_key", "access", "refresh") if isinstance(shown, dict) and name in shown]
    keys = [person.key for person in house.people.values()]
    told = " ".join(f"{row.before} {row.after} {row.target_id} {row.target_name} {row.credential_id}" for row in rows)
    return [secret for secret in (PASSWORD, *stored, *given, *keys) if len(secret) > 8 and secret in told]


def asked(client: httpx.Client, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
    answer = client.request(method, path, **request)
    assert answer.status_code < 400, answer.text
    return answer


@pytest.mark.parametrize("key", OF_REST, ids=" ".join)
def test_a_change_by_rest_leaves_a_row_with_who_did_it(acme: House, http_for: HttpFor, key: tuple[str, str]) -> None:
    recipe, row = RECIPES[key], next(row for row in MATRIX if (row.method, row.route) == key)
    client = http_for(recipe.by)
    for step in recipe.first:
        asked(client, *step)
    path = withdrawn_path(acme) if key[1].endswith("withdraw") else recipe.path or row.path
    end = end_of(acme)

    answer = asked(client, row.method, path, row.request if recipe.request is None else recipe.request)

    rows = rows_since(acme, end)
    assert secrets_in(rows, acme, answer) == []
    assert recipe.action in [one.action for one in rows]
    assert {(one.actor_name, one.credential, one.face) for one in rows} == {(recipe.by, "key", "rest")}


def test_a_token_that_is_issued_refreshed_and_revoked_leaves_rows(acme: House, http_for: HttpFor) -> None:
    client, end = http_for(None), end_of(acme)

    signed_in = asked(client, "POST", "/api/token/", json(username="bob", password=PASSWORD))
    first = signed_in.json()
    second = asked(client, "POST", "/api/token/refresh/", json(refresh=first["refresh"])).json()
    asked(client, "POST", "/api/token/revoke/", json(token=second["refresh"]))

    rows = rows_since(acme, end)
    expected = {RECIPES["POST", f"tokens:{name}"].action for name in ("token", "revoke")}
    assert expected <= {row.action for row in rows}
    assert {row.actor_name for row in rows} == {"bob"}
    assert secrets_in(rows, acme, signed_in) == []


def test_signing_in_and_out_in_a_browser_leaves_rows(acme: House) -> None:
    end = end_of(acme)
    with http_client_of(acme) as browser:
        page = browser.get("/accounts/login/")
        form = {"csrfmiddlewaretoken": token_in(page.text), "username": "bob", "password": PASSWORD}
        home = browser.post("/accounts/login/", data=form)
        browser.post("/accounts/logout/", data={"csrfmiddlewaretoken": token_in(browser.get("/").text)})

    assert home.status_code == 302
    rows = rows_since(acme, end)
    assert [(row.action, row.actor_name, row.face) for row in rows] == [
        ("session.started", "bob", "page"),
        ("session.ended", "bob", "page"),
    ]


@pytest.mark.parametrize("key", sorted(PAGES), ids=" ".join)
def test_a_change_by_a_page_leaves_a_row_with_who_did_it(
    acme: House, signed_in: SignedIn, key: tuple[str, str]
) -> None:
    recipe = PAGES[key]
    browser = signed_in(recipe.by)
    end = end_of(acme)

    token = token_in(browser.get(recipe.at or recipe.path).text)
    fields = (recipe.request or {})["data"]
    answer = browser.post(recipe.path, data={"csrfmiddlewaretoken": token, **fields})

    rows = rows_since(acme, end)
    assert answer.status_code < 400, answer.text
    assert recipe.action in [one.action for one in rows]
    assert {(one.actor_name, one.credential, one.face) for one in rows} == {(recipe.by, "session", "page")}


def test_who_comes_by_an_invitation_leaves_a_row(acme: House, http_for: HttpFor, signed_in: SignedIn) -> None:
    admin, visitor = signed_in("adam"), http_for(None)
    invite = {
        "email": "new@acme.example",
        "role": "viewer",
        "csrfmiddlewaretoken": token_in(admin.get("/settings/invitations/").text),
    }
    made = admin.post("/settings/invitations/", data=invite)
    link = html.unescape(made.text.split('<code id="link">')[1].split("<")[0])
    end = end_of(acme)

    fields = {"username": "newcomer", "password": PASSWORD, "csrfmiddlewaretoken": token_in(visitor.get(link).text)}
    visitor.post(link, data=fields)

    rows = rows_since(acme, end)
    assert {"user.created", "invitation.accepted"} <= {row.action for row in rows}
    assert {(row.actor_name, row.credential) for row in rows} == {("new@acme.example", "link")}


def test_who_comes_by_an_invitation_over_rest_leaves_a_row(acme: House, http_for: HttpFor) -> None:
    link = http_for("adam").post(f"{API}/invitations/", json={"email": "new@acme.example"}).json()["link"]
    end, coming = end_of(acme), json(token=link.rsplit("/", 2)[1], username="newcomer", password=PASSWORD)

    answer = asked(http_for(None), "POST", f"{API}/invitations/accept/", coming)

    rows = rows_since(acme, end)
    assert {"user.created", "invitation.accepted"} <= {row.action for row in rows}
    assert {(row.actor_name, row.credential, row.face) for row in rows} == {("new@acme.example", "link", "rest")}
    assert secrets_in(rows, acme, answer) == []


def test_every_address_that_takes_a_change_has_a_recipe() -> None:
    known = RECIPES.keys() | CHANGES_NOTHING | ADMIN | SECOND_FACTORS | PROVIDERS

    assert [key for key in changing() if key not in known | FLOWS] == []


def test_no_recipe_is_left_of_an_address_that_is_gone() -> None:
    assert (RECIPES.keys() | CHANGES_NOTHING | ADMIN | SECOND_FACTORS | PROVIDERS | FLOWS) - set(changing()) == set()


@pytest.mark.parametrize("control", ["a route", "a page"])
def test_control_an_address_without_a_recipe_is_found(control: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if control == "a route":
        monkeypatch.delitem(RECIPES, ("POST", "registry:models"))
    else:
        monkeypatch.setattr("tests.audit.test_every_change.READ_PAGES", set())

    assert set(changing()) - (RECIPES.keys() | CHANGES_NOTHING | ADMIN | SECOND_FACTORS | PROVIDERS | FLOWS)


def changing() -> list[tuple[str, str]]:
    """Return each method of each route that is not safe; a page that is not known to be read only counts as one that takes POST."""
    found = []
    for name, pattern in named(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
        methods = getattr(view, "required_actions", None) or methods_of(view, name)
        found += [(method, name) for method in methods if method not in SAFE]
    return found


def methods_of(view: Any, name: str) -> list[str]:
    """Return what a view without actions takes: by its methods, where it is one of DRF's; else POST."""
    if view is not None and hasattr(view, "permission_classes"):
        return [method.upper() for method in view.http_method_names if hasattr(view, method)]
    return [] if name in READ_PAGES else ["POST"]


def withdrawn_path(house: House) -> str:
    from foretell.registry.models import PromotionRequest

    with house.inside():
        request = PromotionRequest.objects.exclude(requested_by__username="robot").get()
        return f"{SUM}/promotions/{request.pk}/withdraw/"


def http_client_of(house: House) -> httpx.Client:
    from tests.cast import Cast

    return http_client(Cast(acme=house, globex=house), None, house.tenant.name)


def token_in(page: str) -> str:
    return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
