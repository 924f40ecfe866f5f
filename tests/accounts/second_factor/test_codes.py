"""A code opens once, for one person, in one tenant; and nobody guesses many."""

import threading

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connections

from foretell.accounts import limiting
from foretell.accounts.models import User
from foretell.accounts.second_factor.codes import GUESSES, verify_code
from foretell.limits import Throttled
from tests.accounts.second_factor.conftest import App, Clock, opened, row_of
from tests.cast import Cast, House
from tests.secret_keys import use_secret_key


def is_right(house: House, name: str, code: str) -> bool:
    with house.inside():
        return verify_code(user=house.user(name), code=code) is not None


def test_a_code_opens_once(acme: House, app: App) -> None:
    assert is_right(acme, "bob", app.code())
    assert not is_right(acme, "bob", app.code())


def test_allauths_own_check_would_let_it_through_in_another_process(acme: House, app: App) -> None:
    """The control: what it keeps of used codes is in a cache of the process."""
    from django.core.cache import cache

    with acme.inside():
        assert TOTP(row_of(acme, "bob")).validate_code(app.code())
        cache.clear()
        assert TOTP(row_of(acme, "bob")).validate_code(app.code())


def test_no_code_before_the_last_one_opens_any_more(acme: House, app: App) -> None:
    assert is_right(acme, "bob", app.code(ahead=1))
    assert not is_right(acme, "bob", app.code())
    assert not is_right(acme, "bob", app.code(ahead=-1))


def test_a_clock_may_be_off_by_a_step(acme: House, app: App) -> None:
    assert not is_right(acme, "bob", app.code(ahead=-2))
    assert not is_right(acme, "bob", app.code(ahead=2))
    assert is_right(acme, "bob", app.code(ahead=-1))


def test_the_code_that_the_app_was_set_up_with_signs_nobody_in(acme: House, clock: Clock) -> None:
    with acme.inside():
        TOTP.activate(acme.user("bob"), "JBSWY3DPEHPK3PXP")
    app = App("JBSWY3DPEHPK3PXP", clock.step)

    assert not any(is_right(acme, "bob", app.code(ahead=ahead)) for ahead in (-1, 0, 1))
    clock.step += 2
    assert is_right(acme, "bob", app.code(ahead=2))


def test_of_requests_at_once_with_one_code_one_is_let_in(acme: House, app: App) -> None:
    right: list[bool] = []

    def ask() -> None:
        right.append(is_right(acme, "bob", app.code()))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(right) == [False, False, False, True]


def test_anothers_code_is_nobodys(acme: House, app: App) -> None:
    assert not is_right(acme, "erin", app.code())


def test_a_row_that_was_copied_to_another_tenant_opens_nothing_there(cast: Cast, app: App) -> None:
    data = row_of(cast.acme, "bob").data
    with cast.globex.inside():
        Authenticator.objects.create(user=cast.globex.user("carol"), type="totp", data=dict(data))
        Authenticator.objects.update(data=dict(data))

    assert opened(cast.acme, data["secret"]) == app.secret
    assert opened(cast.globex, data["secret"]) != app.secret
    assert not is_right(cast.globex, "carol", app.code())


def test_the_database_alone_tells_no_secret(acme: House, app: App, codes: list[str]) -> None:
    kept = f"{row_of(acme, 'bob').data}{row_of(acme, 'bob', 'recovery_codes').data}"

    assert app.secret not in kept
    assert not any(code in kept for code in codes)


def test_with_another_secret_key_no_code_is_right_and_nothing_breaks(
    acme: House, app: App, codes: list[str], settings_changed: object
) -> None:
    assert not is_right(acme, "bob", app.code())
    assert not is_right(acme, "bob", codes[0])


@pytest.fixture
def settings_changed(monkeypatch: pytest.MonkeyPatch, codes: list[str]) -> None:

    use_secret_key(monkeypatch, "another")


def test_guesses_are_limited_and_right_ones_cost_nothing(acme: House, app: App, codes: list[str]) -> None:
    for code in codes:
        assert is_right(acme, "bob", code)
    for _ in range(GUESSES.rate.burst):
        assert not is_right(acme, "bob", "000000")

    with pytest.raises(Throttled, match="Too many codes"):
        is_right(acme, "bob", app.code())

    limiting.forget_all()  # the control
    assert is_right(acme, "bob", app.code())


def test_one_persons_guesses_lock_nobody_else_out(acme: House, app: App) -> None:
    for _ in range(GUESSES.rate.burst):
        is_right(acme, "erin", "000000")

    assert is_right(acme, "bob", app.code())


def test_somebody_without_a_second_factor_has_no_code(acme: House, clock: Clock) -> None:
    with acme.inside():
        assert verify_code(user=User.objects.get(username="erin"), code="") is None
