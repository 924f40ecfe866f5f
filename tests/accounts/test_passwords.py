"""Argon2id, two at once, and the same work whoever is asked for."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from foretell.accounts import passwords
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import send


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the passwords that are hashed."""
    counted: list[str] = []
    place = passwords._a_place

    @contextmanager
    def counting() -> Iterator[None]:
        counted.append("one")
        with place():
            yield

    monkeypatch.setattr(passwords, "_a_place", counting)
    return counted


def test_passwords_are_kept_as_argon2id_with_the_parameters_of_owasp() -> None:
    stored = make_password(PASSWORD)

    assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, stored)
    assert not check_password(PASSWORD + " ", stored)


def test_no_more_than_two_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def slow(*_: object) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return "argon2$x"

    monkeypatch.setattr(Argon2PasswordHasher, "encode", slow)
    hasher = passwords.Argon2Hasher()
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: hasher.encode(PASSWORD, "salt"), range(40)))

    assert most == 2


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As when two hash, and many wait, for longer than anybody should."""
    monkeypatch.setattr(passwords, "LONGEST_WAIT_S", 0.01)
    with ExitStack() as busy:
        for _ in range(passwords.AT_ONCE):
            busy.enter_context(passwords._a_place())
        yield


def test_who_would_wait_too_long_is_told_to_come_back(http_for: HttpFor, acme: House, no_place: None) -> None:
    answer = http_for(None).get("/api/v1/me/", headers=basic("bob", PASSWORD))

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert http_for("bob").get("/api/v1/me/").status_code == 200  # a key costs no password hash


def test_at_the_login_page_it_is_a_page(http_for: HttpFor, no_place: None) -> None:
    client = http_for(None)
    client.headers["Accept"] = "text/html"

    answer = send(client, "/accounts/login/", {"username": "bob", "password": PASSWORD})

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "signing in at this moment" in answer.text


@pytest.mark.parametrize("name", ["bob", "BOB@acme.example", "nobody", "nobody@acme.example"])
def test_an_unknown_name_costs_the_hash_that_a_known_one_costs(
    http_for: HttpFor, acme: House, hashes: list[str], name: str
) -> None:
    answer = http_for(None).get("/api/v1/me/", headers=basic(name, "a wrong passphrase"))

    assert (answer.status_code, len(hashes)) == (401, 1)


def test_the_answer_does_not_tell_a_wrong_password_from_an_unknown_name(http_for: HttpFor, acme: House) -> None:
    same = {"X-Request-ID": "same"}
    client = http_for(None)

    wrong = client.get("/api/v1/me/", headers={**same, **basic("bob", "a wrong passphrase")})
    unknown = client.get("/api/v1/me/", headers={**same, **basic("nobody", PASSWORD)})

    assert (wrong.status_code, wrong.content) == (401, unknown.content)


def test_a_key_costs_no_password_hash(http_for: HttpFor, hashes: list[str]) -> None:
    bob = http_for("bob")

    bob.get("/api/v1/me/")

    assert hashes == []
