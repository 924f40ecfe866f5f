"""Argon2id, one at a time, and the same work whoever is asked for."""

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from foretell.accounts import passwords
from tests.cast import PASSWORD, House
from tests.hashing import AS_SERVED, QUICK, hash_with
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


@pytest.fixture
def as_served() -> Iterator[None]:
    """Hash as an installation does."""
    hash_with(AS_SERVED)
    yield
    hash_with(QUICK)


def test_passwords_are_kept_as_argon2id_with_the_parameters_of_owasp(as_served: None) -> None:
    stored = make_password(PASSWORD)

    assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, stored)
    assert not check_password(PASSWORD + " ", stored)


def test_one_password_at_a_time_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
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

    assert most == 1


MANY_LOGINS = """
import sys, threading, psutil
from foretell.accounts import passwords
hasher = passwords.Argon2Hasher()
if sys.argv[1] == "in threads of their callers":
    passwords._hashed = lambda work, *arguments: work(*arguments)
met, turn = threading.Barrier(31), threading.Lock()
def sign_in():
    met.wait()
    with turn:
        hasher.encode("a long enough passphrase", "saltsaltsalt")
    met.wait()
    met.wait()
callers = [threading.Thread(target=sign_in) for _ in range(30)]
for caller in callers:
    caller.start()
met.wait()
before = psutil.Process().memory_info().rss
met.wait()
print((psutil.Process().memory_info().rss - before) >> 20)
met.wait()
"""


def memory_of(where: str) -> int:
    """Return how many MB more a process takes after 30 threads had a password hashed."""
    environment = {**os.environ, "MALLOC_ARENA_MAX": "32"}  # as on a machine with four cores or more
    found = subprocess.run([sys.executable, "-c", MANY_LOGINS, where], env=environment, capture_output=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="is about glibc's memory")
def test_many_threads_that_sign_people_in_keep_the_memory_of_one_hash() -> None:
    assert memory_of("in threads of their own") < 50
    assert memory_of("in threads of their callers") > 150, "the control"


def test_a_hash_lets_others_go_first() -> None:
    nice: list[int] = []

    passwords._hashed(lambda: nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))

    expected = passwords.PATIENCE if sys.platform == "linux" else 0
    assert nice[0] == max(expected, os.getpriority(os.PRIO_PROCESS, 0))


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As when one is hashed, and many wait, for longer than anybody should."""
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
