"""Where somebody is signed in: seen, and ended, one or all; browsers and programs with tokens."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.accounts.flows import sessions
from foretell.accounts.models import User
from foretell.accounts.tokens import services as tokens
from foretell.audit.models import Entry
from tests.accounts.flows.walking import Headless, code_in, mails, said
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token, send, sign_in, text_of

MINE = "/api/v1/me/sessions/"


def actions_since(house: House, end: int) -> list[str]:
    with house.inside():
        return [row.action for row in list(Entry.objects.order_by("id"))[end:]]


def end_of(house: House) -> int:
    with house.inside():
        return Entry.objects.count()


def is_in(client: httpx.Client) -> bool:
    return client.get("/").status_code == 200


def with_tokens(house: House, http_for: HttpFor, name: str) -> tuple[httpx.Client, str]:
    """Return a client with somebody's access token, and the refresh token."""
    pair = http_for(None).post("/api/token/", json={"username": name, "password": PASSWORD}).json()
    client = http_for(None)
    client.headers["Authorization"] = f"Bearer {pair['access']}"
    return client, pair["refresh"]


def refreshes(http_for: HttpFor, refresh: str) -> bool:
    return http_for(None).post("/api/token/refresh/", json={"refresh": refresh}).status_code == 200


def test_one_sees_where_one_is_signed_in_and_nobody_elses(acme: House, http_for: HttpFor, signed_in: SignedIn) -> None:
    here = signed_in("bob")
    signed_in("bob")
    signed_in("alice")
    with_tokens(acme, http_for, "bob")

    found = here.get(MINE, headers={"Accept": "application/json"}).json()

    assert sorted(one["kind"] for one in found) == ["browser", "browser", "tokens"]
    assert [one["is_current"] for one in found].count(True) == 1
    assert text_of(here.get("/settings/sessions/")).count("python-httpx") == 2


def test_one_of_them_is_ended(acme: House, http_for: HttpFor, signed_in: SignedIn) -> None:
    here, there = signed_in("bob"), signed_in("bob")
    program, refresh = with_tokens(acme, http_for, "bob")
    listed = here.get(MINE, headers={"Accept": "application/json"}).json()
    other = next(one for one in listed if one["kind"] == "browser" and not one["is_current"])
    family = next(one for one in listed if one["kind"] == "tokens")
    end = end_of(acme)

    token = csrf_token(here.get("/settings/sessions/").text)
    for one in (other, family):
        here.post(f"/settings/sessions/{one['id']}/end/", data={"csrfmiddlewaretoken": token})

    assert (is_in(here), is_in(there)) == (True, False)
    assert not refreshes(http_for, refresh)
    assert program.get("/api/v1/me/").status_code == 401
    assert actions_since(acme, end) == ["session.ended", "token.revoked"]


@pytest.mark.parametrize("face", ["page", "rest"])
def test_all_of_them_are_ended_and_keys_stay(acme: House, http_for: HttpFor, signed_in: SignedIn, face: str) -> None:
    here, there = signed_in("bob"), signed_in("bob")
    program, refresh = with_tokens(acme, http_for, "bob")
    others = signed_in("alice")
    end = end_of(acme)

    if face == "page":
        send(here, "/settings/sessions/", {"do": "everywhere"})
    else:
        assert http_for("bob").delete(MINE).status_code == 204

    assert not any(map(is_in, (here, there)))
    assert program.get("/api/v1/me/").status_code == 401
    assert not refreshes(http_for, refresh)
    assert is_in(others)
    assert http_for("bob").get("/api/v1/me/").status_code == 200
    assert actions_since(acme, end)[:2] == ["token.all_revoked", "session.all_ended"]
    with acme.inside():
        assert sessions.sessions_of(acme.user("bob"), now=timezone.now()) == []


def test_everywhere_else_leaves_the_session_at_hand(acme: House, http_for: HttpFor, signed_in: SignedIn) -> None:
    here, there = signed_in("bob"), signed_in("bob")
    _, refresh = with_tokens(acme, http_for, "bob")
    key = here.cookies["foretell-session"]

    send(here, "/settings/sessions/", {"do": "others"})

    assert (is_in(here), is_in(there), refreshes(http_for, refresh)) == (True, False, False)
    assert here.cookies["foretell-session"] != key  # a copy of the cookie is over as well
    assert len(here.get(MINE, headers={"Accept": "application/json"}).json()) == 1


def test_a_session_that_was_never_listed_ends_with_all(
    acme: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is for people to see; what ends sessions is the generation that they are made with."""
    from allauth.usersessions.models import UserSession

    unlisted = signed_in("bob")
    with acme.inside():
        UserSession.objects.all().delete()
        sessions.end_all(user=acme.user("bob"))

    assert not is_in(unlisted)


def test_control_without_the_generation_it_would_go_on(
    acme: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allauth.usersessions.models import UserSession

    monkeypatch.delattr(User, "_get_session_auth_hash")
    unlisted = signed_in("bob")
    with acme.inside():
        UserSession.objects.all().delete()
        sessions.end_all(user=acme.user("bob"))

    assert is_in(unlisted)


def test_nobody_ends_somebody_elses(acme: House, globex: House, http_for: HttpFor, signed_in: SignedIn) -> None:
    hers = signed_in("alice")
    alice_s = hers.get(MINE, headers={"Accept": "application/json"}).json()[0]["id"]
    with acme.inside():
        family = tokens.sign_in(user=acme.user("alice"), now=timezone.now())
    assert family.refresh

    for id in (alice_s, "0", "9" * 30, "not-an-id", "01a1fd19-5c37-7fea-93a3-0000000000b0"):
        assert http_for("bob").delete(f"{MINE}{id}/").status_code == 404
        assert http_for("carol").delete(f"{MINE}{id}/").status_code == 404
    assert is_in(hers)


def test_a_session_of_acme_is_none_at_globex(
    acme: House, globex: House, signed_in: SignedIn, http_for: HttpFor
) -> None:
    key = signed_in("alice").cookies["foretell-session"]
    visitor = http_for(None, tenant="globex")
    visitor.headers["Accept"] = "text/html"
    visitor.cookies.set("foretell-session", key)

    assert not is_in(visitor)
    assert visitor.get("/api/v1/auth/session").status_code == 401


def half_signed_in(acme: House, http_for: HttpFor) -> httpx.Client:
    """Return a browser whose password was right, and whose address is to be verified."""
    from foretell.accounts.services import create_user

    with acme.inside():
        create_user(username="temp", email="temp@acme.example", password=PASSWORD, is_email_verified=False)
    client = http_for(None)
    client.headers["Accept"] = "text/html"
    assert sign_in(client, "temp", PASSWORD).headers["location"] == "/accounts/confirm-email/"
    return client


def finished(client: httpx.Client, acme: House) -> bool:
    send(client, "/accounts/confirm-email/", {"code": code_in(mails(acme)[-1])})
    return is_in(client)


def test_a_sign_in_that_was_begun_is_over_when_all_sessions_are(acme: House, http_for: HttpFor) -> None:
    client = half_signed_in(acme, http_for)
    with acme.inside():
        sessions.end_all(user=acme.user("temp"))

    assert not finished(client, acme)
    assert sign_in(client, "temp", PASSWORD).headers["location"] == "/"  # the address is verified all the same


def test_control_without_the_generation_it_would_go_on_behind_the_second_step(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = half_signed_in(acme, http_for)
    with acme.inside():
        sessions.end_all(user=acme.user("temp"))

    monkeypatch.setattr("foretell.accounts.flows.adapter.complete", lambda request, user: user.refresh_from_db())
    assert finished(client, acme)


def test_of_very_many_browsers_the_oldest_is_signed_out(
    acme: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_BROWSERS", 2)

    first, second, third = (signed_in("bob") for _ in range(3))

    assert [is_in(one) for one in (first, second, third)] == [False, True, True]


def test_sessions_that_are_over_are_deleted_and_the_others_stay(acme: House, signed_in: SignedIn) -> None:
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session

    gone, stays = signed_in("bob"), signed_in("bob")
    now = timezone.now()
    with acme.inside():
        Session.objects.filter(session_key=gone.cookies["foretell-session"]).update(expire_date=now - timedelta(days=1))

        assert sessions.forget_expired(now=now) == 1
        assert UserSession.objects.count() == 1
    assert is_in(stays)


def test_who_signs_out_is_off_the_list(acme: House, signed_in: SignedIn) -> None:
    from allauth.usersessions.models import UserSession

    client = signed_in("bob")
    client.post("/accounts/logout/", data={"csrfmiddlewaretoken": csrf_token(client.get("/").text)})

    with acme.inside():
        assert UserSession.objects.count() == 0


def test_a_new_password_ends_all_but_the_session_at_hand(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.services import create_user

    with acme.inside():
        create_user(username="temp", email="temp@acme.example", password=PASSWORD)
    here, there = http_for(None), http_for(None)
    for browser in (here, there):
        browser.headers["Accept"] = "text/html"
        sign_in(browser, "temp", PASSWORD)
    _, refresh = with_tokens(acme, http_for, "temp")
    end = end_of(acme)

    wrong = send(
        here, "/settings/account/", {"do": "password", "current_password": "wrong", "password": "another passphrase"}
    )
    done = send(
        here, "/settings/account/", {"do": "password", "current_password": PASSWORD, "password": "another passphrase"}
    )

    assert (wrong.status_code, done.status_code) == (422, 302)
    assert (is_in(here), is_in(there), refreshes(http_for, refresh)) == (True, False, False)
    assert actions_since(acme, end) == ["user.password_changed"]


def test_so_it_does_over_rest_for_who_asks_in_a_session(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.services import create_user

    with acme.inside():
        create_user(username="temp", email="temp@acme.example", password=PASSWORD)
    here, there = Headless(http_for(None)), Headless(http_for(None))
    for browser in (here, there):
        browser.post("auth/login", username="temp", password=PASSWORD)

    done = here.ask("PATCH", "me/", password="another passphrase", current_password=PASSWORD)

    assert done.status_code == 200
    assert [browser.get("auth/session").status_code for browser in (here, there)] == [200, 401]


# The headless API.


@pytest.fixture
def headless(http_for: HttpFor) -> Headless:
    return Headless(http_for(None))


def test_a_program_walks_through_a_session(acme: House, headless: Headless, http_for: HttpFor) -> None:
    assert headless.get("auth/session").status_code == 401
    signed_in = headless.post("auth/login", email="BOB@acme.example", password=PASSWORD)
    other = Headless(http_for(None))
    other.post("auth/login", username="Bob", password=PASSWORD)
    listed = headless.get("auth/sessions").json()["data"]

    assert (signed_in.status_code, signed_in.json()["data"]["user"]["username"]) == (200, "bob")
    assert len(listed) == 2
    ended = headless.ask("DELETE", "auth/sessions", sessions=[one["id"] for one in listed if not one["is_current"]])
    assert ended.status_code == 200
    assert other.get("auth/session").status_code == 401
    assert headless.ask("DELETE", "auth/session").status_code == 401
    assert headless.get("auth/session").status_code == 401


def test_wrong_sign_ins_read_the_same_whoever_it_is(acme: House, headless: Headless) -> None:
    wrong = headless.post("auth/login", username="bob", password="wrong")
    unknown = headless.post("auth/login", username="nobody", password="wrong")

    assert (wrong.status_code, said(wrong)) == (400, said(unknown))


def test_wrong_sign_ins_are_limited_here_as_everywhere(acme: House, headless: Headless) -> None:
    statuses = [headless.post("auth/login", username="bob", password="wrong").status_code for _ in range(12)]

    assert statuses == [400] * 10 + [429] * 2


def test_without_the_csrf_token_nothing_is_taken(http_for: HttpFor) -> None:
    answer = http_for(None).post("/api/v1/auth/login", json={"username": "bob", "password": PASSWORD})

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("auth/login", {"username": "bob", "password": PASSWORD, "is_admin": True}),
        ("auth/signup", {"username": "z", "email": "z@z.example", "password": PASSWORD, "role": "owner"}),
        ("auth/password/request", {"email": "bob@acme.example", "to": "eve@evil.example"}),
        ("auth/email/verify/resend", {"email": "eve@evil.example"}),
    ],
)
def test_what_is_unknown_is_refused(acme: House, headless: Headless, address: str, body: dict[str, Any]) -> None:
    answer = headless.post(address, **body)

    assert (answer.status_code, answer.json()["errors"][-1]["code"]) == (400, "unknown_field")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}', b"null", b'{"username": NaN}'])
def test_what_is_no_object_of_json_is_400(http_for: HttpFor, body: bytes) -> None:
    client = http_for(None)
    headers = {"X-CSRFToken": client.get("/api/v1/config").headers["X-CSRFToken"], "Content-Type": "application/json"}

    assert client.post("/api/v1/auth/login", content=body, headers=headers).status_code == 400


def test_a_password_is_changed_with_the_one_of_now(acme: House, headless: Headless) -> None:
    from foretell.accounts.services import create_user

    with acme.inside():
        create_user(username="temp", email="temp@acme.example", password=PASSWORD)
    headless.post("auth/login", username="temp", password=PASSWORD)

    without = headless.post("account/password/change", new_password="another passphrase")
    wrong = headless.post("account/password/change", current_password="x", new_password="another passphrase")
    weak = headless.post("account/password/change", current_password=PASSWORD, new_password="short")
    done = headless.post("account/password/change", current_password=PASSWORD, new_password="another passphrase")

    assert [answer.status_code for answer in (without, wrong, weak, done)] == [400, 400, 400, 200]
    assert [answer.json()["errors"][0]["param"] for answer in (without, wrong, weak)] == [
        "current_password", "current_password", "new_password",
    ]  # fmt: skip
    assert headless.get("auth/session").status_code == 200
