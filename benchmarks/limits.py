"""Whether a limit is exact, and what it costs: `python benchmarks/limits.py [--runs 5]`.

First the whole of it: 20,000 requests with one key to four web processes, and how many pass. Then without a server, two tables: µs per take, alone and with four processes that do nothing else; and how many of 20,000 takes by four processes pass,
five runs for each limit. With `redis-server` on the PATH the second also has two hosts that share a Redis.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from goals import Verdict
from installation import Installation, in_demo, installed
from measuring import Shape, generate
from results import keep

from foretell.limits import Claim, Limiter, MemoryLimiter, Policy, Rate, SharedMemoryLimiter, claim_for

PROCESSES, TAKES, RUNS = 4, 5_000, 5
LIMIT, ASKED_PER_S = 1_000, 1_250
CONNECTIONS = 160  # a refusal comes late (`serving.pacing`), so that fewer could not ask so often
LIMITS = (50, 1_000, 5_000)
WIDE = "1000000000/d"  # so wide that it refuses nobody
Counted = tuple[
    str, int, Sequence[tuple[int, float]]
]  # what, its limit, and of each run what passed and what a take took
KINDS = ("key", "user", "tenant")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--quick", action="store_const", const=1, dest="runs", help="one run of each limit, shown only")
    runs = parser.parse_args().runs
    passed = requests_that_pass(runs)
    with tempfile.TemporaryDirectory(prefix="foretell-limits-") as directory:
        cost = list(costs(Path(directory)))
        counted = list(exactness(Path(directory), runs))
    tables = [
        ("One take", ("", "µs", "goal"), cost),
        (
            f"{PROCESSES * TAKES:,} takes by {PROCESSES} processes",
            ("limit", f"passed, {runs} runs", "exact", "µs per take, all together"),
            [row(*each) for each in counted],
        ),
    ]
    keep("limits", verdicts={"limit": verdict(passed)}, tables=tables, is_whole=runs >= RUNS)


def verdict(passed: Sequence[int]) -> Verdict:
    measured = f"{', '.join(f'{each:,}' for each in passed)} passed with a limit of {LIMIT:,}"
    return Verdict(measured, set(passed) == {LIMIT}, f"{[each - LIMIT for each in passed]} too many")


# --- requests -----------------------------------------------------------------------------------------------------------


def requests_that_pass(runs: int) -> list[int]:
    """Ask 20,000 times with a key of its own in each run; return how many were answered, when all others were refused."""
    with installed(WEB_CONCURRENCY=str(PROCESSES), FORETELL_LIMIT_KEY=f"{LIMIT}/d") as installation:
        installation.use_django()
        return [answered(installation, run) for run in range(runs)]


def answered(installation: Installation, run: int) -> int:
    from foretell.accounts.services import create_key, get_user

    with in_demo():
        _, key = create_key(user=get_user("demo"), name=f"limited {run}", scopes=["predict"])
    asked = PROCESSES * TAKES + CONNECTIONS  # these may be under way when the time is over
    shape = Shape("one", CONNECTIONS, asked / ASKED_PER_S, ASKED_PER_S)
    statuses = generate(installation.port, [installation.message(key)], [b"prediction"], shape)["statuses"]
    assert sum(statuses.values()) >= PROCESSES * TAKES, statuses
    assert set(statuses) <= {"200", "429"}, statuses
    return int(statuses.get("200", 0))


# --- what a take costs ---


def costs(directory: Path) -> Iterator[list[str]]:
    shared = SharedMemoryLimiter(directory / "alone")
    for number in (1, 3, 4):
        yield [
            f"{number} claims, alone",
            f"{cost_us(shared, claims(number)):.1f}",
            "≤ 5 for three" if number == 3 else "",
        ]
    yield ["3 claims, one refuses", f"{cost_us(shared, [*claims(2), claim('1/d', 'spent')]):.1f}", ""]
    yield ["3 claims, no lock and no file", f"{cost_us(MemoryLimiter(), claims(3)):.1f}", ""]
    taken, each_us = takers(directory / "contended", WIDE)
    assert taken == PROCESSES * TAKES
    yield [f"3 claims, {PROCESSES} processes on the same buckets", f"{each_us:.1f}", ""]


def cost_us(limiter: Limiter, wanted: Sequence[Claim], *, takes: int = 20_000) -> float:
    """Return the median of five rounds, in µs for one take."""
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(takes):
            limiter.take(wanted)
        rounds.append((time.perf_counter() - began) / takes * 1e6)
    return statistics.median(rounds)


def claims(number: int, rate: str = WIDE) -> list[Claim]:
    return [claim(rate if kind == "key" else WIDE, kind) for kind in (*KINDS, "scope")[:number]]


def claim(rate: str, kind: str) -> Claim:
    return claim_for("acme", kind, "x", Policy(kind, Rate.parse(rate)))


# --- how many pass ---


def exactness(directory: Path, runs: int) -> Iterator[Counted]:
    for limit in LIMITS:
        yield f"{limit:,}", limit, [takers(directory / f"{limit}-{run}", f"{limit}/d") for run in range(runs)]
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        return
    with redis_server(server, directory) as url:
        for limit in (7, 5_000):
            taken = [
                takers(directory / f"{limit}-hosts-{run}", f"{limit}/d", url=url, name=str(run)) for run in range(runs)
            ]
            yield f"{limit:,}, over 2 hosts with Redis", limit, taken


def row(what: str, limit: int, runs: Sequence[tuple[int, float]]) -> list[str]:
    passed = [taken for taken, _ in runs]
    said = "yes" if set(passed) == {limit} else "NO" if max(passed) > limit else "never more"
    return [what, " ".join(map(str, passed)), said, f"{statistics.median(us for _, us in runs):.1f}"]


def takers(path: Path, rate: str, *, url: str = "", name: str = "x") -> tuple[int, float]:
    """Let four processes take at once; return how many passed, and µs per take of them all together."""
    commands = [
        [sys.executable, __file__, "--take", str(path), rate, url, name, str(number % 2)] for number in range(PROCESSES)
    ]
    processes = [subprocess.Popen(it, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for it in commands]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    begin = time.monotonic_ns() + 50_000_000
    results = [json.loads(process.communicate()[0]) for process in begun(processes, begin)]
    last_us = (max(ended for _, ended in results) - begin) / 1e3
    return sum(passed for passed, _ in results), last_us / (PROCESSES * TAKES)


def begun(processes: Sequence["subprocess.Popen[str]"], begin: int) -> Sequence["subprocess.Popen[str]"]:
    """Tell all of them when to begin, before waiting for any."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{begin}\n")
        process.stdin.flush()
    return processes


def take_all(path: str, rate: str, url: str, name: str, host: str) -> None:
    """Be one of the processes."""
    limiter: Limiter = SharedMemoryLimiter(Path(f"{path}-{host}" if url else path))
    if url:
        from foretell.limits.redis import RedisLimiter

        limiter = RedisLimiter(url, local=limiter, leases=Path(f"{path}-{host}-leases"), hosts=2)
    wanted = [claim_for("acme", "key", name, Policy("key", Rate.parse(rate))), *claims(3)[1:]]
    print("ready", flush=True)
    begin = int(sys.stdin.readline())
    while time.monotonic_ns() < begin:
        pass
    decisions = [limiter.take(wanted) for _ in range(TAKES)]
    ended = time.monotonic_ns()
    print(json.dumps([sum(decision is not None and decision.allowed for decision in decisions), ended]), flush=True)


@contextmanager
def redis_server(server: str, directory: Path) -> Iterator[str]:
    options = ["--port", "0", "--unixsocket", str(directory / "redis.sock"), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([server, *options], cwd=directory, stdout=subprocess.DEVNULL)
    try:
        while not (directory / "redis.sock").exists():
            time.sleep(0.01)
        yield f"unix://{directory}/redis.sock"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    take_all(*sys.argv[2:]) if sys.argv[1:2] == ["--take"] else main()
