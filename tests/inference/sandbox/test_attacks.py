"""No attack gets out of a locked child, whether the parent is root or a plain user."""

import time
from typing import Any

import pytest
from attacks import ATTACKS

from foretell.errors import ForetellError
from foretell.inference.errors import InferenceError
from foretell.inference.sandbox import Limits

LIMITS = Limits(cpu_s=1, wall_s=1.0, memory_bytes=512 << 20, result_bytes=4 << 20)
SECRETS = ("SECRET-OF-THE-ENVIRONMENT",)


def outcome_of(arena: Any, attack: str) -> object:
    target = arena.world.target(sandbox_path=str(arena.socket_path))
    try:
        return arena.sandbox.run(attack, target, limits=LIMITS)
    except InferenceError as error:
        return error


def assert_contained(arena: Any, attack: str) -> None:
    began = time.monotonic()
    outcome = outcome_of(arena, attack)
    took_s = time.monotonic() - began
    escapes = arena.world.escapes(outcome)
    assert not escapes, f"{attack} got out: {escapes}; its answer was {outcome!r:.500}"
    assert not any(secret in repr(outcome) for secret in SECRETS)
    assert took_s < 4, f"{attack} held its client for {took_s:.1f} s"
    assert arena.parent.poll() is None, "the parent is gone"
    assert_nothing_is_left(arena)


def assert_nothing_is_left(arena: Any) -> None:
    deadline = time.monotonic() + 1
    while strays := arena.strays():
        assert time.monotonic() < deadline, f"processes were left behind: {strays}"
        time.sleep(0.005)


@pytest.mark.parametrize("attack", ATTACKS)
def test_as_started_by_this_user_it_contains(attack: str, own_arena: Any) -> None:
    assert_contained(own_arena, attack)


@pytest.mark.parametrize("attack", ATTACKS)
def test_as_started_by_a_plain_user_it_contains(attack: str, plain_arena: Any) -> None:
    assert_contained(plain_arena, attack)


def test_the_suite_is_as_large_as_it_claims() -> None:
    assert len(ATTACKS) >= 100


def test_what_an_attack_says_is_short_and_harmless_to_print(own_arena: Any) -> None:
    error = outcome_of(own_arena, "drive_the_terminal")
    assert isinstance(error, ForetellError)
    assert len(error.message) <= 2_100
    assert "\x1b" not in error.message
    assert "\x07" not in error.message


def test_the_sandbox_still_works_after_all_of_it(own_arena: Any) -> None:
    for _ in range(20):
        outcome_of(own_arena, "abort")
    assert own_arena.sandbox.run("echo", {"answer": 42}) == {"answer": 42}
