"""Bob, who has an authenticator app, and what it shows."""

from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from tests.cast import House
from tests.web.conftest import signed_in  # noqa: F401  a fixture is used by name


@dataclass
class App:
    """An authenticator app, with a clock of its own."""

    secret: str
    step: int

    def code(self, *, ahead: int = 0) -> str:
        return str(format_hotp_value(hotp_value(self.secret, self.step + ahead)))

    def next_code(self) -> str:
        """Return the code of the step after the last one."""
        self.step += 1
        return self.code()


class Clock:
    """What the server takes for the time: a step that goes on when it is told to."""

    def __init__(self) -> None:
        self.step = 50_000_000

    def steps(self) -> list[int]:
        return [self.step - 1, self.step, self.step + 1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("foretell.accounts.second_factor.codes", "allauth.mfa.totp.internal.auth"):
        monkeypatch.setattr(f"{module}.yield_hotp_counters_from_time", clock.steps)
    return clock


@pytest.fixture
def app(acme: House, clock: Clock) -> App:
    """Bob's, set up three steps ago."""
    secret = generate_totp_secret()
    with acme.inside():
        TOTP.activate(acme.user("bob"), secret)
    clock.step += 3
    return App(secret, clock.step)


@pytest.fixture
def codes(acme: House, app: App) -> list[str]:
    """Bob's recovery codes."""
    with acme.inside():
        found: list[str] = RecoveryCodes.activate(acme.user("bob")).generate_codes()
    return found


def row_of(house: House, name: str, kind: str = Authenticator.Type.TOTP) -> Any:
    with house.inside():
        return Authenticator.objects.get(user=house.user(name), type=kind)


def opened(house: House, content: str) -> str:
    with house.inside():
        return str(get_adapter().decrypt(content))
