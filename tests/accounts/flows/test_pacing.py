"""How long a sign-up takes tells nothing of whose the address is."""

from collections.abc import Callable

import pytest

from foretell.accounts.flows import pacing
from tests.accounts.flows.walking import PASSPHRASE, Headless, opened, sign_up
from tests.cast import House
from tests.http import HttpFor

Ask = Callable[[HttpFor, str, str], object]


class Clock:
    """What the server takes for the time: it goes on by what somebody waits."""

    def __init__(self, *times: float) -> None:
        self.times, self.waited = list(times), list[float]()

    def monotonic(self) -> float:
        return self.times.pop(0)

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.mark.parametrize(
    ("elapsed", "rest"), [(0.0, 0.0), (0.1, 0.4), (0.25, 0.25), (0.5, 0.0), (0.75, 0.25), (7.25, 0.25)]
)
def test_it_ends_at_the_next_whole_step(elapsed: float, rest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "STEP_S", 0.5)

    assert pacing.rest_of_step(elapsed) == pytest.approx(rest)


def by_page(http_for: HttpFor, name: str, email: str) -> object:
    return sign_up(http_for(None), name, email=email).status_code


def by_program(http_for: HttpFor, name: str, email: str) -> object:
    body = {"username": name, "email": email, "password": PASSPHRASE}
    return Headless(http_for(None)).post("auth/signup", **body).status_code


@pytest.mark.parametrize("ask", [by_page, by_program])
def test_a_sign_up_is_answered_at_a_whole_step_be_the_address_known_or_not(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    opened(acme)
    clock = Clock(10.0, 10.2, 20.0, 20.1)
    monkeypatch.setattr(pacing, "STEP_S", 0.5)
    monkeypatch.setattr(pacing, "time", clock)

    answers = {ask(http_for, "zoe", "zoe@acme.example"), ask(http_for, "eve", "bob@acme.example")}

    assert len(answers) == 1
    assert clock.waited == [pytest.approx(0.3), pytest.approx(0.4)]


def test_what_is_refused_is_refused_at_once(acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(acme)
    clock = Clock(10.0)
    monkeypatch.setattr(pacing, "time", clock)

    assert by_program(http_for, "bob", "zoe@acme.example") == 400
    assert clock.waited == []
