"""What every limiter promises: the one in memory, and the one of the host."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretell.limits import Limiter, MemoryLimiter, SharedMemoryLimiter
from tests.limits.buckets import Clock, claim

Pair = tuple[Limiter, Clock]


@pytest.fixture(params=["memory", "shared"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    clock = Clock()
    limiter: Limiter
    if request.param == "memory":
        limiter = MemoryLimiter(clock=clock)
    else:
        limiter = SharedMemoryLimiter(tmp_path / "limits", slots=64, clock=clock)
    return limiter, clock


def passed(limiter: Limiter, *claims: object, times: int, cost: int = 1) -> int:
    decisions = [limiter.take(claims, cost) for _ in range(times)]  # type: ignore[arg-type]  # they are claims
    return sum(decision is not None and decision.allowed for decision in decisions)


@pytest.mark.parametrize("rate", ["1/s", "2/min", "7/min", "1000/h", "999983/d", "10/min burst 25"])
def test_of_a_burst_exactly_as_many_pass_as_the_limit_says(pair: Pair, rate: str) -> None:
    limiter, _ = pair
    one = claim(rate)
    burst = min(one.policy.rate.burst, 2_000)

    assert passed(limiter, one, times=burst) == burst
    if burst == one.policy.rate.burst:
        assert passed(limiter, one, times=50) == 0


def test_the_tutorials_two_limits(pair: Pair) -> None:
    limiter, clock = pair

    assert passed(limiter, claim("2/min", kind="limited"), times=5) == 2
    assert passed(limiter, claim("10/min", kind="burst"), times=15) == 10
    clock.move(60)
    assert passed(limiter, claim("2/min", kind="limited"), times=5) == 2
    assert passed(limiter, claim("10/min", kind="burst"), times=15) == 10


def test_after_a_burst_one_more_passes_after_each_interval_and_none_before(pair: Pair) -> None:
    limiter, clock = pair
    one = claim("2/min")
    passed(limiter, one, times=2)

    clock.move(29.999_999_999)
    assert passed(limiter, one, times=1) == 0
    clock.move(0.000_000_001)
    assert passed(limiter, one, times=2) == 1


def test_who_waits_as_long_as_they_are_told_passes(pair: Pair) -> None:
    limiter, clock = pair
    one = claim("7/min")
    passed(limiter, one, times=7)
    refused = limiter.take([one])
    assert refused is not None
    assert not refused.allowed

    clock.move(refused.retry_after_s)

    assert passed(limiter, one, times=1) == 1


def test_a_decision_tells_what_is_left_and_when_the_bucket_is_full(pair: Pair) -> None:
    limiter, clock = pair
    one = claim("10/min")

    decisions = [limiter.take([one]) for _ in range(11)]

    assert [decision.remaining for decision in decisions if decision] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert [decision.reset_s for decision in decisions if decision][-2:] == [60.0, 60.0]
    assert decisions[-1] is not None
    assert decisions[-1].retry_after_s == 6.0
    clock.move(60)
    assert (full := limiter.take([one], cost=0)) is not None
    assert (full.remaining, full.reset_s) == (10, 0.0)


def test_no_claims_no_decision(pair: Pair) -> None:
    assert pair[0].take([]) is None


def test_where_one_refuses_none_is_charged(pair: Pair) -> None:
    limiter, _ = pair
    wide, narrow = claim("10/min", kind="tenant"), claim("2/min", kind="key")
    assert passed(limiter, wide, narrow, times=2) == 2

    refused = limiter.take([wide, narrow])

    assert refused is not None
    assert (refused.allowed, refused.policy.name) == (False, "key")
    assert passed(limiter, wide, times=20) == 8


def test_the_binding_policy_is_the_one_with_least_left(pair: Pair) -> None:
    limiter, _ = pair
    decision = limiter.take([claim("10/min", kind="tenant"), claim("3/min", kind="user"), claim("5/min", kind="key")])

    assert decision is not None
    assert (decision.policy.name, decision.remaining) == ("user", 2)


def test_of_several_that_refuse_the_longest_wait_is_told(pair: Pair) -> None:
    limiter, _ = pair
    soon, late = claim("1/s", kind="user"), claim("1/h", kind="tenant")
    limiter.take([soon, late])

    refused = limiter.take([soon, late])

    assert refused is not None
    assert (refused.policy.name, refused.retry_after_s) == ("tenant", 3_600.0)


def test_a_cost_is_charged_whole_or_not_at_all(pair: Pair) -> None:
    limiter, _ = pair
    one = claim("10/min")

    assert passed(limiter, one, times=3, cost=4) == 2
    assert passed(limiter, one, times=3) == 2


def test_a_cost_above_the_burst_passes_a_full_bucket_and_is_paid_for_by_waiting(pair: Pair) -> None:
    limiter, clock = pair
    one = claim("10/min")

    assert passed(limiter, one, times=2, cost=30) == 1
    clock.move(125.999)
    assert passed(limiter, one, times=1) == 0
    clock.move(0.001)
    assert passed(limiter, one, times=2) == 1


def test_asking_without_taking_takes_nothing(pair: Pair) -> None:
    limiter, _ = pair
    one = claim("2/min")

    assert passed(limiter, one, times=5, cost=0) == 5
    assert passed(limiter, one, times=5) == 2


def test_what_is_given_back_can_be_taken_again(pair: Pair) -> None:
    limiter, _ = pair
    one = claim("2/min")
    passed(limiter, one, times=2)

    limiter.give_back([one])

    assert passed(limiter, one, times=2) == 1


def test_giving_back_what_was_not_taken_gives_nobody_more_than_a_burst(pair: Pair) -> None:
    limiter, _ = pair
    one = claim("2/min")
    passed(limiter, one, times=1)

    for _ in range(5):
        limiter.give_back([one])

    assert passed(limiter, one, times=5) == 2


def test_a_rate_that_was_changed_holds_at_once(pair: Pair) -> None:
    limiter, _ = pair
    passed(limiter, claim("2/d"), times=2)

    assert passed(limiter, claim("5/min"), times=9) == 5


@pytest.mark.parametrize(
    "other",
    [claim("2/min", kind="user"), claim("2/min", id="y"), claim("2/min", tenant="globex"), claim("2/min", tenant="acm", id="ex")],
)  # fmt: skip
def test_buckets_of_others_are_others(pair: Pair, other: object) -> None:
    limiter, _ = pair
    passed(limiter, claim("2/min"), times=2)

    assert passed(limiter, other, times=5) == 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 20), st.lists(st.sampled_from(range(6)), min_size=1, max_size=3, unique=True), st.integers(0, 4)),
        max_size=40,
    )
)  # fmt: skip
def test_the_shared_one_decides_as_the_one_in_memory_even_in_a_table_of_eight(tmp_path: Path, steps: list[tuple[float, list[int], int]]) -> None:  # fmt: skip
    clock = Clock()
    rates = ["1/s", "2/min", "3/min", "10/min", "5/10s", "4/min burst 6"]
    claims = [claim(rate, id=str(number)) for number, rate in enumerate(rates)]
    shared, memory = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=clock), MemoryLimiter(clock=clock)
    shared.clear()
    for seconds, chosen, cost in steps:
        clock.move(seconds)
        taken = [claims[number] for number in chosen]
        assert shared.take(taken, cost) == memory.take(taken, cost)
