"""The limiter of a host: exact over processes and threads, whatever happens to any of them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from foretell.limits import MemoryLimiter, SharedMemoryLimiter
from foretell.limits.locks import ProcessLock
from foretell.limits.mutexes import MUTEX_BYTES, fresh_mutex
from foretell.limits.table_files import MUTEX_AT, TableFile, TableFull, boot_id
from foretell.limits.tables import SLOT, Table
from tests.limits.buckets import SECOND, Clock, claim

LIMIT, TAKES, PROCESSES = 1_000, 5_000, 4

TAKER = """
import itertools, json, os, sys, time
from pathlib import Path
from foretell.limits import gcra
from foretell.limits import Policy, Rate, SharedMemoryLimiter, claim_for
from foretell.limits.locks import ProcessLock
path, limit, takes, is_locked = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "locked"
if not is_locked:
    ProcessLock.acquire = lambda self: False
decide, calls = gcra.decide, itertools.count()
def interrupted(*arguments):
    decision = decide(*arguments)
    if next(calls) % 16 == 0:
        os.sched_yield()  # between reading and writing
    return decision
gcra.decide = interrupted
limiter = SharedMemoryLimiter(Path(path))
claims = [claim_for("acme", kind, "x", Policy(kind, Rate.parse(rate))) for kind, rate in (("key", limit), ("user", "1000000/h"))]
print("ready", flush=True)
begin = int(sys.stdin.readline())
while time.monotonic_ns() < begin:
    pass
print(json.dumps(sum(limiter.take(claims).allowed for _ in range(takes))), flush=True)
"""

HOLDER = """
import sys, time
from pathlib import Path
from foretell.limits import MemoryLimiter, SharedMemoryLimiter
limiter = SharedMemoryLimiter(Path(sys.argv[1]))
with limiter._table:
    print("held", flush=True)
    time.sleep(600)
"""

BUSY_HOLDER = """
import sys, time
from pathlib import Path
from foretell.limits import Policy, Rate, SharedMemoryLimiter, claim_for
limiter = SharedMemoryLimiter(Path(sys.argv[1]))
with limiter._table:
    print("held", flush=True)
    time.sleep(1)
    limiter._taken([claim_for("acme", "key", "x", Policy("key", Rate.parse("1/d")))], 1)
"""


def started(source: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def taken_by_processes(path: Path, *, mode: str = "locked") -> int:
    """Return how many pass a limit of 1,000 a day, of 20,000 that four processes take at once."""
    takers = [started(TAKER, str(path), f"{LIMIT}/d", str(TAKES), mode) for _ in range(PROCESSES)]
    for taker in takers:
        assert taker.stdout is not None
        taker.stdout.readline()
    begin = time.monotonic_ns() + SECOND // 20
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write(f"{begin}\n")
        taker.stdin.flush()
    return sum(json.loads(taker.communicate(timeout=300)[0]) for taker in takers)


@pytest.mark.parametrize("run", range(5))
def test_of_20_000_takes_by_four_processes_exactly_as_many_pass_as_the_limit_says(tmp_path: Path, run: int) -> None:
    assert taken_by_processes(tmp_path / "limits") == LIMIT


def test_without_a_mutex_the_record_lock_is_as_exact(tmp_path: Path, without_mutexes: None) -> None:
    SharedMemoryLimiter(tmp_path / "limits")  # the file has none, so that nobody uses one

    assert taken_by_processes(tmp_path / "limits") == LIMIT


def test_without_the_lock_it_is_not_exact(tmp_path: Path) -> None:
    passed = [taken_by_processes(tmp_path / f"limits-{run}", mode="unlocked") for run in range(3)]

    assert any(count > LIMIT for count in passed)


def test_threads_of_a_process_share_it_exactly(tmp_path: Path) -> None:
    clock, one = Clock(), claim(f"{LIMIT}/d")
    limiters = [
        SharedMemoryLimiter(tmp_path / "limits", clock=clock) for _ in range(4)
    ]  # one each: it is one table all the same

    def taken(limiter: SharedMemoryLimiter) -> int:
        decisions = [limiter.take([one]) for _ in range(2_000)]
        return sum(decision is not None and decision.allowed for decision in decisions)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(taken, limiters)) == LIMIT


def test_a_fork_goes_on_with_the_same_buckets(tmp_path: Path) -> None:
    limiter, one = SharedMemoryLimiter(tmp_path / "limits", clock=Clock()), claim("3/min")
    limiter.take([one])

    child = os.fork()
    if not child:
        limiter.take([one])
        os._exit(0)
    os.waitpid(child, 0)

    decision = limiter.take([one])
    assert decision is not None
    assert decision.remaining == 0


# --- a process that holds the lock ---


@pytest.fixture
def without_mutexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has no robust mutexes."""
    monkeypatch.setattr("foretell.limits.table_files.fresh_mutex", lambda: b"")


@contextmanager
def holding(source: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let a process have taken the lock."""
    process = started(source, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that took the lock and does not give it back."""
    with holding(HOLDER, tmp_path / "limits") as process:
        yield process


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    limiter = SharedMemoryLimiter(tmp_path / "limits")
    lock = limiter._table._lock
    assert not lock.try_acquire()  # the control: it is held

    holder.kill()
    holder.wait()

    assert lock.try_acquire()
    lock.release()
    assert limiter.take([claim("1/min")]) is not None


def test_without_mutexes_a_killed_holder_leaves_no_lock_behind_either(tmp_path: Path, without_mutexes: None) -> None:
    limiter = SharedMemoryLimiter(tmp_path / "limits")
    with holding(HOLDER, tmp_path / "limits"):
        assert not limiter._table._lock.try_acquire()

    assert limiter._table._lock.try_acquire()
    limiter._table._lock.release()


@pytest.mark.skipif(not fresh_mutex(), reason="there are no robust mutexes on this machine")
def test_a_file_that_outlives_the_machine_has_no_mutex(tmp_path: Path) -> None:
    """A mutex that was held when the machine stopped would be held for ever."""
    for boot, has_mutex in ((boot_id(), True), ("", False)):
        file = TableFile(tmp_path / f"table-{has_mutex}", 24, boot)
        file.made(8)
        assert any(file.path.read_bytes()[MUTEX_AT : MUTEX_AT + MUTEX_BYTES]) is has_mutex


def test_a_stopped_holder_holds_up_nobody_and_nothing_is_let_through_uncounted(
    tmp_path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.send_signal(signal.SIGSTOP)
    limiter, waited = SharedMemoryLimiter(tmp_path / "limits"), []
    wait = ProcessLock._waited

    def waiting(lock: ProcessLock) -> bool:
        waited.append("one")
        return wait(lock)

    monkeypatch.setattr(ProcessLock, "_waited", waiting)

    decisions = [limiter.take([claim("3/d")]) for _ in range(10)]

    assert sum(decision is not None and decision.allowed for decision in decisions) == 3
    assert len(waited) == 1  # one of them waited, for a moment; the others did not


@pytest.fixture(params=["mutex", "record lock"])
def busy_holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that took the lock, and takes the only one of a limit before it gives the lock back, a second later."""
    if request.param == "record lock":
        request.getfixturevalue("without_mutexes")
    SharedMemoryLimiter(tmp_path / "limits")
    with holding(BUSY_HOLDER, tmp_path / "limits") as process:
        yield process


@pytest.mark.usefixtures("busy_holder")
def test_a_holder_that_is_not_stopped_is_waited_for(tmp_path: Path) -> None:
    """It may wait for a processor on a machine with too much to do: to go on without it would let too many through."""
    decision = SharedMemoryLimiter(tmp_path / "limits").take([claim("1/d")])

    assert decision is not None
    assert not decision.allowed


@pytest.mark.usefixtures("busy_holder")
def test_without_the_patience_more_would_pass_than_the_limit_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foretell.limits.locks.PAUSES", 10)

    decision = SharedMemoryLimiter(tmp_path / "limits").take([claim("1/d")])

    assert decision is not None
    assert decision.allowed


def test_a_stopped_holder_is_waited_for_again_once_it_goes_on(
    tmp_path: Path, busy_holder: subprocess.Popen[str]
) -> None:
    limiter = SharedMemoryLimiter(tmp_path / "limits")
    busy_holder.send_signal(signal.SIGSTOP)
    assert limiter.take([claim("2/d", id="y")]) is not None  # without it

    busy_holder.send_signal(signal.SIGCONT)
    decision = limiter.take([claim("1/d")])

    assert decision is not None
    assert not decision.allowed


# --- the table ---


def test_whoever_comes_second_goes_on_with_what_the_first_counted(tmp_path: Path) -> None:
    clock, one = Clock(), claim("2/min")
    first = SharedMemoryLimiter(tmp_path / "limits", clock=clock)
    first.take([one])
    del first  # and with it its table

    decision = SharedMemoryLimiter(tmp_path / "limits", clock=clock).take([one])

    assert decision is not None
    assert decision.remaining == 0


def test_a_table_with_no_place_left_grows_and_forgets_nothing(tmp_path: Path) -> None:
    limiter = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=Clock())
    claims = [claim("2/min", id=str(number)) for number in range(500)]

    for _ in range(2):
        assert all(decision.allowed for one in claims if (decision := limiter.take([one])))
    assert limiter.slots >= 512
    assert not any(decision.allowed for one in claims if (decision := limiter.take([one])))


def test_other_processes_follow_a_table_that_grew(tmp_path: Path) -> None:
    limiter, one = SharedMemoryLimiter(tmp_path / "limits", slots=8), claim("2/d")
    limiter.take([one])
    grow = "import sys; from pathlib import Path; from foretell.limits import *; l = SharedMemoryLimiter(Path(sys.argv[1]), slots=8);" \
        "[l.take([claim_for('globex', 'key', str(n), Policy('key', Rate.parse('1/d')))]) for n in range(200)];" \
        "l.take([claim_for('acme', 'key', 'x', Policy('key', Rate.parse('2/d')))])"  # fmt: skip
    subprocess.run([sys.executable, "-c", grow, str(tmp_path / "limits")], check=True)

    decision = limiter.take([one])

    assert decision is not None
    assert not decision.allowed
    assert limiter.slots > 8


def test_a_table_that_cannot_grow_refuses_and_lets_nothing_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=Clock())
    taken = [claim("1/min", id=str(number)) for number in range(8)]
    assert all(decision.allowed for one in taken if (decision := limiter.take([one])))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("foretell.limits.table_files._reserve", full)
    with pytest.raises(TableFull, match="No space left on device"):
        limiter.take([claim("1/min", id="ninth")])
    assert not any(decision.allowed for one in taken if (decision := limiter.take([one])))
    assert [path.name for path in tmp_path.iterdir()] == ["limits", "limits.lock"] or len(list(tmp_path.iterdir())) == 2
    monkeypatch.undo()
    assert limiter.take([claim("1/min", id="ninth")]) is not None


def test_stale_slots_are_used_again(tmp_path: Path) -> None:
    clock = Clock()
    limiter = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=clock)

    for number in range(400):
        limiter.take([claim("60/min", id=str(number))])
        clock.move(1)

    assert limiter.slots == 8


def test_a_slot_is_not_given_to_two_claims_of_one_take(tmp_path: Path) -> None:
    clock = Clock()
    limiter = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=clock)
    for number in range(60):  # in any order: new beside stale beside used
        claims = [claim("1/min", id=str(number + step)) for step in (0, 7, 3)]
        decision = limiter.take(claims)
        assert decision is not None
        if decision.allowed:
            assert not any(one.allowed for single in claims if (one := limiter.take([single])))
        clock.move(25)


def test_what_is_given_back_to_a_bucket_whose_slot_is_another_s_by_now_is_nothing(tmp_path: Path) -> None:
    clock, one = Clock(), claim("1/s")
    limiter = SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=clock)
    limiter.take([one])
    clock.move(2)
    others = [claim("2/d", id=str(number)) for number in range(8)]
    for other in others:
        limiter.take([other])
    assert limiter.slots == 8

    limiter.give_back([one])

    assert [decision.remaining for other in others if (decision := limiter.take([other], cost=0))] == [1] * 8


@pytest.mark.parametrize("seed", range(20))
def test_two_processes_that_remember_places_decide_as_one_that_has_all_in_a_dictionary(
    tmp_path: Path, seed: int
) -> None:
    """Whatever became of a place meanwhile: its table grew or was cleared, or the slot is stale, or another's."""
    random_, clock = random.Random(seed), Clock()  # noqa: S311  no secret
    limiters, plain = (
        [SharedMemoryLimiter(tmp_path / "limits", slots=8, clock=clock) for _ in range(2)],
        MemoryLimiter(clock=clock),
    )
    limiters[1]._table = Table(limiters[0]._table.file, slots=8)  # mapped and locked by itself, as another process's is
    rates = ("1/min", "3/min", "2/s", "5/10s", "1/d", "10/min burst 2")
    buckets = [[claim(rates[id % len(rates)], id=str(id)) for id in range(60)] for _ in limiters]
    for _ in range(200):
        at, event = random_.randrange(2), random_.random()
        if event < 0.05:
            clock.move(random_.choice((0.3, 10, 61, 3_600)))
        elif event < 0.06:
            limiters[at].clear()
            plain.clear()
        claims, cost = random_.sample(buckets[at], random_.randint(1, 4)), random_.choice((0, 1, 1, 1, 2, 7))

        assert limiters[at].take(claims, cost) == plain.take(claims, cost)
    assert limiters[0].slots > 8


def test_a_file_of_another_boot_is_made_anew(tmp_path: Path) -> None:
    late, early, one = Clock(10**15 * 3), Clock(5 * SECOND), claim("1/d")
    before = SharedMemoryLimiter(tmp_path / "limits", clock=late, boot="before")
    before.take([one])
    del before

    decision = SharedMemoryLimiter(tmp_path / "limits", clock=early, boot="after").take([one])

    assert decision is not None
    assert decision.allowed


def test_the_same_file_in_the_same_boot_is_kept(tmp_path: Path) -> None:
    clock, one = Clock(), claim("1/d")
    before = SharedMemoryLimiter(tmp_path / "limits", clock=clock, boot="same")
    before.take([one])
    del before

    decision = SharedMemoryLimiter(tmp_path / "limits", clock=clock, boot="same").take([one])

    assert decision is not None
    assert not decision.allowed


@pytest.mark.parametrize("content", [b"", b"x", b"not a table" * 1_000, bytes(70_000)])
def test_a_file_that_is_no_table_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "limits").write_bytes(content)

    decision = SharedMemoryLimiter(tmp_path / "limits").take([claim("1/d")])

    assert decision is not None
    assert decision.allowed


def test_a_file_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "limits"
    SharedMemoryLimiter(path, slots=64)
    os.truncate(path, 4_200)

    assert SharedMemoryLimiter(path, slots=64).take([claim("1/d")]) is not None
    assert path.stat().st_size == 4_096 + 64 * SLOT.size


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    SharedMemoryLimiter(tmp_path / "run" / "limits")

    assert (tmp_path / "run" / "limits").stat().st_mode & 0o777 == 0o600


def test_processes_that_come_at_once_make_one_table(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:  # each with a table of its own, as a process has
        tables = list(pool.map(lambda _: Table(TableFile(tmp_path / "limits", SLOT.size, ""), slots=64), range(8)))

    assert len({os.fstat(table._descriptor).st_ino for table in tables}) == 1
