"""POST /api/token/: a name and a password for tokens; who is refused, in which words, and how often one may try."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import jwt
import pytest
from django.conf import settings

from foretell.accounts import login_limits, passwords, sign_in_policy
from foretell.accounts.limiting import limiter
from foretell.accounts.models import User
from foretell.accounts.tokens import custom_claims
from foretell.accounts.tokens.models import TokenFamily
from foretell.audit.models import Entry
from foretell.env import MalformedVariable
from tests.accounts.tokens.workshop import bearer, posted, signed_in, tokens_of
from tests.cast import PASSWORD, Cast, House
from tests.http import HttpFor
from tests.models import ready_sum_model

ME, PREDICT = "/api/v1/me/", "/api/v1/models/sum/predict/"


@pytest.fixture(autouse=True)
def full_buckets() -> Iterator[None]:
    limiter().clear()
    yield
    limiter().clear()


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.mark.parametrize("name", ["bob", "BOB", "bob@acme.example"])
def test_a_name_or_an_address_and_a_password_give_two_tokens(http_for: HttpFor, name: str) -> None:
    answer = posted(http_for, "", username=name, password=PASSWORD)

    assert answer.status_code == 200
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert answer.headers["RateLimit-Policy"].startswith('"user"')
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "admin")
    assert body["refresh_expires_in"] == 14 * 86_400
    assert http_for(None).get(ME, headers=bearer(body["access"])).json()["username"] == "bob"


def test_an_access_token_says_who_for_whom_by_whom_and_until_when(acme: House, http_for: HttpFor) -> None:
    token = signed_in(http_for)["access"]

    header, claims = jwt.get_unverified_header(token), claims_of(token)

    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    assert header.keys() == {"alg", "typ", "kid"}
    assert (claims["iss"], claims["aud"]) == (settings.TOKEN_ISSUER, str(acme.tenant.id))
    assert (claims["sub"], claims["role"], claims["scope"]) == (str(acme.user("bob").pk), "viewer", "admin")
    assert claims["exp"] - claims["iat"] == 300
    assert claims["nbf"] == claims["iat"]
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "gen", "role", "scope", "iat", "nbf", "exp"}


def test_no_two_tokens_are_the_same(http_for: HttpFor) -> None:
    pairs = [signed_in(http_for) for _ in range(3)]

    assert len({claims_of(pair["access"])["jti"] for pair in pairs}) == 3
    assert len({claims_of(pair["access"])["sid"] for pair in pairs}) == 3
    assert len({pair["refresh"] for pair in pairs}) == 3


@pytest.mark.parametrize(
    ("name", "password"), [("bob", "a wrong passphrase"), ("nobody", PASSWORD), ("nobody@acme.example", PASSWORD), ("carol", PASSWORD)]
)  # fmt: skip
def test_whoever_is_wrong_gets_one_answer(http_for: HttpFor, name: str, password: str) -> None:
    answer = posted(http_for, "", username=name, password=password)

    body = answer.json()
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="foretell"')
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["code"], body["errors"]) == ("authentication_failed", [])
    assert body["detail"] == "These credentials are not known here, or not any more."


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({}, "username"), ({"username": "bob"}, "password"), ({"username": 1, "password": "x"}, "username"), ({"username": "bob", "password": None}, "password"),
        ({"username": "", "password": "x"}, "username"), ({"username": "b" * 400, "password": "x"}, "username"), ({"username": "bob", "password": "x" * 2_000}, "password"),
        ({"username": "bob", "password": "x", "is_staff": True}, "is_staff"), ({"username": "bob", "password": "x", "scope": ["predict"]}, "scope"),
        ({"username": "bob", "password": "x", "scope": ""}, "scope"), ({"username": "bo\0b", "password": "x"}, "username"), ({"username": "bob", "password": "x\0"}, "password"),
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_400_with_the_field(http_for: HttpFor, body: dict[str, Any], attr: str) -> None:
    answer = posted(http_for, "", **body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "application/json", 400), (b"[]", "application/json", 400), (b"nonsense", "application/json", 400), (b'"text"', "application/json", 400),
        (b'{"username": "bob", "username": "alice", "password": "x"}', "application/json", 400), (b"[" * 10_000, "application/json", 400),
        (b"username=bob&password=x", "application/x-www-form-urlencoded", 415), (b"x", "text/plain", 415),
    ],
)  # fmt: skip
def test_a_body_of_another_kind_is_refused(http_for: HttpFor, content: bytes, media_type: str, status: int) -> None:
    answer = http_for(None).post("/api/token/", content=content, headers={"Content-Type": media_type})

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_right_password_is_enough_for_whom_the_policy_lets_in_and_for_nobody_else(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_policy, "is_password_enough", lambda user: user.username != "bob")

    refused = posted(http_for, "", username="bob", password=PASSWORD)

    assert (refused.status_code, refused.json()["code"]) == (403, "more_than_password")
    assert posted(http_for, "", username="erin", password=PASSWORD).status_code == 200
    assert posted(http_for, "", username="bob", password="wrong").status_code == 401, "it is told to the right one only"


def test_somebody_who_is_inactive_gets_no_token(acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        User.objects.filter(username="bob").update(is_active=False)

    assert posted(http_for, "", username="bob", password=PASSWORD).status_code == 401


def test_a_cookie_or_a_key_beside_it_is_not_looked_at(acme: House, http_for: HttpFor) -> None:
    client = http_for("alice")

    body = client.post(
        "/api/token/", json={"username": "bob", "password": PASSWORD}, headers={"Cookie": "foretell-session=x"}
    )

    assert claims_of(body.json()["access"])["sub"] == str(acme.user("bob").pk)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["", "refresh/", "verify/", "revoke/"])
def test_it_is_post_only(http_for: HttpFor, method: str, path: str) -> None:
    answer = http_for(None).request(method, f"/api/token/{path}")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


# --- limits ---


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the passwords that are hashed, and hash none."""
    counted: list[str] = []

    def counting(self: object, password: str, *_: object) -> bool:
        counted.append(password)
        return password == PASSWORD

    def encoding(self: object, password: str, salt: str) -> str:
        counted.append(password)
        return "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"

    monkeypatch.setattr(passwords.Argon2Hasher, "verify", counting)
    monkeypatch.setattr(passwords.Argon2Hasher, "encode", encoding)
    monkeypatch.setattr(passwords.Argon2Hasher, "must_update", lambda *_: False)
    return counted


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_failures_are_limited_before_anything_is_hashed_in_the_bucket_of_basic(
    http_for: HttpFor, acme: House, hashes: list[str], name: str
) -> None:
    client = http_for(None)
    for _ in range(5):
        client.get(ME, auth=httpx.BasicAuth(name, "wrong"))

    answers = [posted(http_for, "", username=name, password="wrong").status_code for _ in range(10)]
    last = posted(http_for, "", username=name, password=PASSWORD)

    assert (answers, len(hashes)) == ([401] * 5 + [429] * 5, 10)
    assert (last.status_code, last.json()["code"]) == (429, "throttled")
    assert int(last.headers["Retry-After"]) >= 1


def test_without_the_limit_each_costs_a_hash(
    http_for: HttpFor, acme: House, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(login_limits, "claims_on", lambda **_: ())

    assert [posted(http_for, "", username="bob", password="wrong").status_code for _ in range(15)] == [401] * 15
    assert len(hashes) == 15


def test_signing_in_takes_from_the_persons_own_limit(http_for: HttpFor, acme: House, hashes: list[str]) -> None:
    from foretell.core.tenancy import use_public

    with use_public():
        acme.tenant.own_limits = {"user": "2/h"}
        acme.tenant.save()

    answers = [posted(http_for, "", username="bob", password=PASSWORD) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["RateLimit-Policy"].startswith('"user";q=2')


# --- scopes ---


def test_a_token_of_fewer_scopes_may_less_at_django_and_on_the_lane(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)
    client = http_for(None)

    def statuses(scope: str) -> list[int]:
        headers = bearer(signed_in(http_for, "alice", scope=scope)["access"])
        return [
            client.get(ME, headers=headers).status_code,
            client.get("/api/v1/models/", headers=headers).status_code,
            client.post(PREDICT, headers=headers, json={"a": 1, "b": 2}).status_code,
            client.post("/api/v1/models/", headers=headers, json={"name": f"m-{scope[:4]}"}).status_code,
        ]

    assert statuses("predict") == [200, 403, 200, 403]
    assert statuses("models:read") == [200, 200, 403, 403]
    assert statuses("predict models:read") == [200, 200, 200, 403]
    assert statuses("models:write") == [200, 200, 403, 201]
    assert statuses("admin") == [200, 200, 200, 201]


def test_the_principal_is_the_person_and_no_scope_makes_more_of_them(acme: House, http_for: HttpFor) -> None:
    headers = bearer(signed_in(http_for, "bob", scope="admin")["access"])

    assert http_for(None).post("/api/v1/models/", headers=headers, json={"name": "x"}).status_code == 403


@pytest.mark.parametrize("scope", ["owner", "predict owner", "PREDICT", "predict,models:read", "*"])
def test_a_scope_that_is_none_is_400(http_for: HttpFor, scope: str) -> None:
    answer = posted(http_for, "", username="bob", password=PASSWORD, scope=scope)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "scope")
    assert "predict" in answer.json()["errors"][0]["detail"]


def test_a_role_is_what_it_is_now_not_what_the_token_says(acme: House, http_for: HttpFor) -> None:
    headers = bearer(tokens_of(acme, "erin").access)
    client = http_for(None)
    assert client.post("/api/v1/models/", headers=headers, json={"name": "one"}).status_code == 201

    with acme.inside():
        User.objects.filter(username="erin").update(role="viewer")

    assert client.post("/api/v1/models/", headers=headers, json={"name": "two"}).status_code == 403


def test_me_says_what_a_token_may_be_used_for_and_until_when(http_for: HttpFor) -> None:
    token = signed_in(http_for, scope="predict models:read")["access"]

    me = http_for(None).get(ME, headers=bearer(token)).json()

    assert (me["username"], me["key"], me["token"]["scopes"]) == ("bob", None, ["models:read", "predict"])
    assert datetime.fromisoformat(me["token"]["expires_at"]).timestamp() == claims_of(token)["exp"]
    assert http_for("bob").get(ME).json()["token"] is None


def test_pages_take_no_token(acme: House, http_for: HttpFor) -> None:
    answer = http_for(None).get("/", headers={**bearer(tokens_of(acme, "alice").access), "Accept": "text/html"})

    assert answer.status_code == 302


# --- verify, revoke ---


def test_verify_says_whose_token_it_is(acme: House, http_for: HttpFor) -> None:
    pair = signed_in(http_for)

    body = posted(http_for, "verify/", token=pair["access"]).json()

    assert (body["username"], body["role"], body["aud"]) == ("bob", "viewer", str(acme.tenant.id))
    assert body["exp"] == claims_of(pair["access"])["exp"]
    assert posted(http_for, "verify/", token=pair["access"], tenant="globex").status_code == 401


@pytest.mark.parametrize("which", ["refresh", "access"])
def test_revoke_ends_all_that_came_of_the_sign_in_and_nothing_else(http_for: HttpFor, which: str) -> None:
    mine, other = signed_in(http_for), signed_in(http_for)

    answer = posted(http_for, "revoke/", token=mine[which])

    assert (answer.status_code, answer.json()) == (200, {})
    client = http_for(None)
    assert [client.get(path, headers=bearer(mine["access"])).status_code for path in (ME, "/v2")] == [401, 401]
    assert [client.get(path, headers=bearer(other["access"])).status_code for path in (ME, "/v2")] == [200, 200]
    assert posted(http_for, "refresh/", refresh=mine["refresh"]).status_code == 401
    assert posted(http_for, "refresh/", refresh=other["refresh"]).status_code == 200


@pytest.mark.parametrize("token", ["nonsense", "ftr_" + "A" * 72, "a.b.c"])
def test_revoking_what_is_no_token_is_answered_as_what_is_one(http_for: HttpFor, token: str) -> None:
    answer = posted(http_for, "revoke/", token=token)

    assert (answer.status_code, answer.json()) == (200, {})


def test_another_tenant_revokes_nothing(acme: House, http_for: HttpFor) -> None:
    pair = signed_in(http_for)

    for token in (pair["refresh"], pair["access"]):
        assert posted(http_for, "revoke/", token=token, tenant="globex").status_code == 200
    assert http_for(None).get(ME, headers=bearer(pair["access"])).status_code == 200


def test_each_change_is_written_down_with_who_and_by_which_credential(acme: House, http_for: HttpFor) -> None:
    pair = signed_in(http_for)
    posted(http_for, "revoke/", token=pair["refresh"])

    with acme.inside():
        family = str(TokenFamily.objects.get().pk)
        rows = list(
            Entry.objects.filter(target_id=family).order_by("id").values_list("action", "actor_name", "credential")
        )
    assert rows == [("token.issued", "bob", "password"), ("token.revoked", "bob", "token")]
    with acme.inside():
        text = json.dumps(list(Entry.objects.values("before", "after", "target_id", "credential_id")), default=str)
    assert pair["refresh"] not in text
    assert pair["access"] not in text


# --- custom claims ---


def department(user: User) -> dict[str, Any]:
    return {"department": f"of {user.username}", "https://acme.example/level": 3}


def taking_over(user: User) -> dict[str, Any]:
    return {"sub": "somebody else", "role": "owner"}


def endless(user: User) -> dict[str, Any]:
    return {"essay": "x" * 5_000}


@pytest.fixture
def adding(monkeypatch: pytest.MonkeyPatch) -> Any:
    def add(function: Any) -> None:
        monkeypatch.setattr(settings, "TOKEN_CLAIMS", "installation.claims")
        monkeypatch.setattr(custom_claims, "_imported", lambda _: function)

    return add


def test_an_installation_adds_claims_of_its_own(http_for: HttpFor, adding: Any) -> None:
    adding(department)

    token = signed_in(http_for)["access"]

    assert claims_of(token)["department"] == "of bob"
    assert claims_of(token)["https://acme.example/level"] == 3
    assert [http_for(None).get(path, headers=bearer(token)).status_code for path in (ME, "/v2")] == [200, 200]


@pytest.mark.parametrize("function", [taking_over, endless])
def test_claims_that_cannot_be_added_give_no_token(http_for: HttpFor, adding: Any, function: Any) -> None:
    adding(function)

    answer = posted(http_for, "", username="bob", password=PASSWORD)

    assert (answer.status_code, answer.json()["detail"][:21]) == (500, "Something broke here.")


@pytest.mark.parametrize(
    "path", ["nowhere.at_all", "foretell.accounts.roles.missing", "foretell.accounts.tokens.claims.TYPE", "no dots"]
)
def test_a_function_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    from django.apps import apps

    monkeypatch.setattr(settings, "TOKEN_CLAIMS", path)

    with pytest.raises(MalformedVariable, match="FORETELL_TOKEN_CLAIMS"):
        apps.get_app_config("tokens").ready()


def test_a_function_is_found_by_its_path(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TOKEN_CLAIMS", "foretell.accounts.tokens.custom_claims.claims_function")

    found: Any = custom_claims.claims_function()

    assert found is custom_claims.claims_function
