"""Signing up with an address tells nobody whether it is somebody's: nor does what one tries afterwards with the name and the password."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from foretell.accounts import backends
from foretell.accounts.flows import limits, seams
from foretell.accounts.people import create_user
from foretell.limits import Policy, Rate
from tests.accounts.flows.test_resetting import link_for, reset_by
from tests.accounts.flows.walking import PASSPHRASE, Headless, code_in, mails, opened
from tests.cast import House
from tests.http import HttpFor
from tests.web.pages import sign_in, text_of

NEW, KNOWN = ("zoe", "zoe@acme.example"), ("eve", "bob@acme.example")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

DOORS: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "page": lambda client, name: sign_in(client, name, PASSPHRASE),
    "headless": lambda client, name: Headless(client).post("auth/login", username=name, password=PASSPHRASE),
    "token": lambda client, name: client.post("/api/token/", json={"username": name, "password": PASSPHRASE}),
    "Basic": lambda client, name: client.get("/api/v1/me/", auth=(name, PASSPHRASE)),
    "lane": lambda client, name: client.get("/v2/models/sum", auth=(name, PASSPHRASE)),
}
doors = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


def told(answer: httpx.Response, name: str) -> tuple[Any, ...]:
    """Return all that somebody sees of an answer, but for what is another each time."""
    text = text_of(answer) if "<main" in answer.text else ID.sub("…", answer.text)
    return answer.status_code, text.replace(name, "…"), sorted(answer.cookies), answer.headers.get("location")


def tried(http_for: HttpFor, door: Callable[[httpx.Client, str], httpx.Response]) -> list[tuple[Any, ...]]:
    """Sign up with an address that is nobody's, and with one that is Bob's; then sign in by the name and the password."""
    found = []
    for name, email in (NEW, KNOWN):
        Headless(http_for(None)).post("auth/signup", username=name, email=email, password=PASSPHRASE)
        found.append(told(door(http_for(None), name), name))
    return found


@doors
def test_signing_in_by_what_one_signed_up_with_is_answered_alike(
    acme: House, http_for: HttpFor, door: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    opened(acme)

    new, known = tried(http_for, door)

    assert new == known


@doors
def test_control_were_the_password_right_the_answers_would_differ(
    acme: House,
    http_for: HttpFor,
    door: Callable[[httpx.Client, str], httpx.Response],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(acme)
    monkeypatch.setattr(backends, "awaits_verification", lambda user: False)

    new, known = tried(http_for, door)

    assert new != known


def mailed(http_for: HttpFor, email: str) -> list[int]:
    """Sign up again and again with an address, each time with two more codes."""
    statuses = []
    for number in range(3):
        browser = Headless(http_for(None))
        name = f"{email[:3]}-{number}"
        statuses.append(browser.post("auth/signup", username=name, email=email, password=PASSPHRASE).status_code)
        statuses += [browser.post("auth/email/verify/resend").status_code for _ in range(2)]
    return statuses


def test_codes_that_are_sent_again_are_limited_alike(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(acme)
    monkeypatch.setattr(limits, "MAILS", Policy("mails to somebody", Rate.parse("3/h")))

    new, known = mailed(http_for, NEW[1]), mailed(http_for, KNOWN[1])

    assert new == known
    assert 429 in new


def test_control_uncharged_they_would_tell(acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(acme)
    monkeypatch.setattr(limits, "MAILS", Policy("mails to somebody", Rate.parse("3/h")))
    monkeypatch.setattr(seams, "take_mail", lambda **_: None)

    assert mailed(http_for, NEW[1]) != mailed(http_for, KNOWN[1])


def test_whoever_closed_the_browser_before_the_code_came_comes_in_by_a_new_password(
    acme: House, http_for: HttpFor
) -> None:
    opened(acme)
    Headless(http_for(None)).post("auth/signup", username="zoe", email=NEW[1], password=PASSPHRASE)

    assert reset_by(http_for(None), link_for(acme, acme.user("zoe")), "quite another passphrase").status_code == 302

    assert sign_in(http_for(None), "zoe", "quite another passphrase").headers["location"] == "/"


def test_of_two_codes_for_one_address_one_lets_in(acme: House, http_for: HttpFor) -> None:
    """What the second one would verify, is verified."""
    with acme.inside():
        create_user(username="zoe", email=NEW[1], password=PASSPHRASE, is_email_verified=False)
    browsers = [Headless(http_for(None)) for _ in range(2)]
    for browser in browsers:
        browser.post("auth/login", username="zoe", password=PASSPHRASE)

    answers = [
        browser.post("auth/email/verify", key=code_in(mail)).status_code
        for browser, mail in zip(browsers, mails(acme), strict=True)
    ]

    assert answers == [200, 409]
    assert browsers[1].get("auth/session").status_code == 401
    assert browsers[1].post("auth/login", username="zoe", password=PASSPHRASE).status_code == 200
