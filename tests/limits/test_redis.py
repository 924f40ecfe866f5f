"""One limit over several hosts, with a real Redis."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.limits import Claim, Policy, Rate, SharedMemoryLimiter, claim_for
from foretell.limits.parts import parts_of
from tests.limits.buckets import claim

redis = pytest.importorskip("redis", reason="needs the Python package redis: pip install 'foretell[redis]'")

from foretell.limits.redis import RedisLimiter  # noqa: E402  where there is redis

SERVER = shutil.which("redis-server") or shutil.which("valkey-server")
needs_server = pytest.mark.skipif(SERVER is None, reason="needs a redis-server: tools/test-setup installs one")


@dataclass
class Redis:
    """A server of this test's own, behind a socket; nothing of it is kept."""

    directory: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"unix://{self.directory}/redis.sock"

    def start(self) -> None:
        assert SERVER is not None
        options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no", "--daemonize", "no"]
        self.processes.append(subprocess.Popen([SERVER, *options], cwd=self.directory, stdout=subprocess.DEVNULL))
        until(self.answers)

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


def hosts(server: Redis, directory: Path, number: int) -> list[RedisLimiter]:
    """Return the limiters of so many hosts: each with files of its own."""
    return [
        RedisLimiter(server.url, local=SharedMemoryLimiter(directory / f"limits-{host}"), leases=directory / f"leases-{host}", hosts=number)
        for host in range(number)
    ]  # fmt: skip


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def passed(limiter: RedisLimiter, claims: Sequence[Claim], times: int, cost: int = 1) -> int:
    decisions = [limiter.take(claims, cost) for _ in range(times)]
    return sum(decision is not None and decision.allowed for decision in decisions)


@given(count=st.integers(1, 1_000_000), burst=st.integers(1, 1_000_000), number=st.integers(1, 50))
def test_the_parts_never_add_up_to_more_than_the_whole(count: int, burst: int, number: int) -> None:
    whole = claim_for("acme", "key", "x", Policy("key", Rate(count, 60.0, burst)))

    parts = parts_of(whole, hosts=number)

    own = parts.own.tolerance_ns // parts.own.interval_ns if parts.own else 0
    own_rate = number / parts.own.interval_ns if parts.own else 0.0
    assert number * (own + parts.lease) + parts.pool_burst <= burst
    assert own_rate + 1 / (parts.pool_interval_us * 1_000) <= 1 / whole.interval_ns * (1 + 1e-9)
    assert parts.rest.interval_ns >= number * whole.interval_ns


@needs_server
def test_a_small_limit_is_exact_over_hosts(server: Redis, tmp_path: Path) -> None:
    limiters = hosts(server, tmp_path, 3)

    assert [passed(limiter, [claim("2/min", kind="limited")], 5) for limiter in limiters] == [2, 0, 0]
    assert sum(passed(limiter, [claim("10/min", kind="burst")], 4) for limiter in limiters) == 10


@needs_server
@pytest.mark.parametrize("rate", ["29/d", "1000/d", "5000/d"])
def test_hosts_that_take_at_once_never_pass_a_limit_and_reach_nearly_all_of_it(
    server: Redis, tmp_path: Path, rate: str
) -> None:
    limiters, one = hosts(server, tmp_path, 2), claim(rate)
    limit = one.policy.rate.count

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(lambda limiter: passed(limiter, [one], limit), limiters * 2))
    for _ in range(200):  # what the pool refused for a moment, it may give now
        time.sleep(0.001)
        taken += sum(passed(limiter, [one], 5) for limiter in limiters)

    assert taken <= limit
    assert taken >= limit * 0.9 - 1


@needs_server
def test_a_caller_of_few_requests_never_waits_for_redis(
    server: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter, asked = hosts(server, tmp_path, 3)[0], []
    monkeypatch.setattr(limiter._pool, "grant", lambda *arguments, **_: asked.append(arguments))

    assert passed(limiter, [claim("60000/min"), claim("600000/min", kind="tenant")], 500) == 500
    assert asked == []


@needs_server
def test_where_one_refuses_none_is_charged(server: Redis, tmp_path: Path) -> None:
    limiter = hosts(server, tmp_path, 1)[0]
    wide, narrow = claim("9/d", kind="tenant"), claim("2/d", kind="limited")

    assert passed(limiter, [wide, narrow], 2) == 2
    refused = limiter.take([wide, narrow])
    assert refused is not None
    assert (refused.allowed, refused.policy.name) == (False, "limited")
    assert refused.retry_after_s > 3_600

    def left() -> bool:
        decision = limiter.take([wide], cost=0)
        return decision is not None and decision.remaining == 7

    until(left)


@needs_server
def test_what_is_given_back_is_everybodys(server: Redis, tmp_path: Path) -> None:
    here, there = hosts(server, tmp_path, 2)
    one = claim("2/d")
    assert passed(here, [one], 2) == 2

    here.give_back([one])

    until(lambda: passed(there, [one], 1) == 1)
    assert passed(there, [one], 1) == 0


@needs_server
def test_while_redis_is_away_hosts_keep_to_their_share_and_never_fail(server: Redis, tmp_path: Path) -> None:
    limiters, one = hosts(server, tmp_path, 2), claim("1000/d")
    server.stop()

    taken = [passed(limiter, [one], 1_000) for limiter in limiters]

    assert [limiter.is_up for limiter in limiters] == [False, False]
    assert all(300 <= count <= 500 for count in taken)


@needs_server
def test_what_a_host_had_before_counts_against_its_share(server: Redis, tmp_path: Path) -> None:
    limiters, one = hosts(server, tmp_path, 2), claim("1000/d")
    before = passed(limiters[0], [one], 600)
    server.stop()

    after = sum(passed(limiter, [one], 1_000) for limiter in limiters)

    assert before == 600
    assert before + after <= 1_000 + 100  # the one host had more than its share already


@needs_server
def test_when_redis_is_back_it_is_asked_again(server: Redis, tmp_path: Path) -> None:
    limiter = hosts(server, tmp_path, 1)[0]
    server.stop()
    limiter.take([claim("2/d")])
    assert not limiter.is_up

    server.start()

    until(lambda: bool(limiter.is_up))
    assert passed(limiter, [claim("3/d")], 5) == 3


@needs_server
def test_redis_that_is_not_there_at_the_start_is_no_hindrance(tmp_path: Path) -> None:
    limiter = RedisLimiter(
        "redis://127.0.0.1:1/0", local=SharedMemoryLimiter(tmp_path / "limits"), leases=tmp_path / "leases", hosts=2
    )

    assert 9 <= passed(limiter, [claim("20/d")], 30) <= 10
