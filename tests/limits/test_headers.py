"""What callers are told, word for word."""

import pytest

from foretell.limits import MemoryLimiter, Throttled, limit_header, policy_header
from tests.limits.buckets import Clock, claim


def test_the_policies_that_hold() -> None:
    claims = [claim("100/min"), claim("10/s burst 50", kind="user"), claim("600000/h", kind="tenant")]

    assert policy_header(claims) == b'"key";q=100;w=60, "user";q=10;w=1, "tenant";q=600000;w=3600'


def test_what_is_left_and_when_it_is_whole_again() -> None:
    limiter = MemoryLimiter(clock=Clock())

    decision = limiter.take([claim("40/min"), claim("100/min", kind="tenant")], cost=3)

    assert decision is not None
    assert limit_header(decision) == b'"key";r=37;t=5'  # 4.5 s, rounded up


def test_a_refusal_says_which_limit_and_how_long() -> None:
    limiter, one = MemoryLimiter(clock=Clock()), claim("2/min", kind="limited")
    for _ in range(2):
        limiter.take([one])
    decision = limiter.take([one])
    assert decision is not None

    refused = Throttled(decision)

    assert str(refused) == "The limit 'limited' is 2 in a minute, and it is spent. Try again in 30 s."
    assert refused.details == {"retry_after_s": 30, "policy": "limited"}
    assert limit_header(decision) == b'"limited";r=0;t=60'


@pytest.mark.parametrize(("wait_s", "told"), [(0.001, 1), (1.0, 1), (1.2, 2)])
def test_a_wait_is_told_in_whole_seconds_that_are_long_enough(wait_s: float, told: int) -> None:
    clock, one = Clock(), claim("1/10s")
    limiter = MemoryLimiter(clock=clock)
    limiter.take([one])
    clock.move(10 - wait_s)

    decision = limiter.take([one])

    assert decision is not None
    assert Throttled(decision).details["retry_after_s"] == told
