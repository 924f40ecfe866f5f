"""A burst of 1,000 bad logins, and what it costs whoever predicts: `python benchmarks/logins.py [--rounds 3]`.

Each attempt is of a name of its own, half of them for a token, half by Basic at a prediction's address; all from one address, and then each
from an address of its own. How many cost a hash is told by the answers: 401 is one, 429 and 503 are none. Meanwhile a program predicts at
fixed arrivals, and the memory of the web processes is looked at.
"""

import argparse
import asyncio
import json
import statistics
import threading
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psutil
from goals import Verdict
from http_load import request
from installation import JSON, Installation, connection_to_each, installed
from measuring import Shape, calm, finished, loading, settle
from results import Table, keep
from spending import pss_mb

ROUNDS, SECONDS, RATE, CONNECTIONS = 3, 10.0, 500, 16
ATTEMPTS, AT_ONCE, ANSWER_WITHIN_S = 1_000, 200, 60.0
MORE_MB, MORE_P99 = 100.0, 0.2
NOBODY, ONE, MANY = "no logins", "from one address", "each from its own address"
SITUATIONS = (NOBODY, ONE, MANY)


class Round(NamedTuple):
    """p99 of the predictions; what became of the attempts, by status; how many hashes the limits allow in that time; memory."""

    p99_ms: float
    statuses: Counter[str]
    allowed: int
    more_mb: float

    @property
    def hashed(self) -> int:
        return self.statuses["401"]


Found = dict[str, list[Round]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_const", const=1, dest="rounds", help="one round, shown only")
    rounds = parser.parse_args().rounds
    with installed(FORETELL_TRUSTED_PROXIES="1") as installation:
        installation.use_django()
        ask_django(installation)
        found = measure(installation, rounds)
    keep("logins", verdicts=verdicts(found), tables=[table(found)], is_whole=rounds >= ROUNDS)


def ask_django(installation: Installation) -> None:
    """Let each web process load what Django is, which it does when it is first asked for more than predictions."""
    for connection in connection_to_each(installation).values():
        connection.request("GET", "/api/v1/me/", headers={"Host": "localhost", **installation.running.headers})
        assert connection.getresponse().read()


# --- measuring ----------------------------------------------------------------------------------------------------------


def measure(installation: Installation, rounds: int) -> Found:
    found: Found = defaultdict(list)
    for number in range(rounds):
        for situation in SITUATIONS:
            found[situation].append(once(installation, situation))
        print(f"round {number + 1} of {rounds}", flush=True)
    return found


def once(installation: Installation, situation: str) -> Round:
    from foretell.accounts.limiting import limiter

    settle(installation.running)
    calm(installation.running)
    limiter().clear()  # nobody has failed yet
    shape, message = Shape("one", CONNECTIONS, SECONDS, RATE), installation.message()
    web = installation.web_processes()
    with most_memory(web) as more, loading(installation.port, [message], [b"prediction"], shape) as load:
        time.sleep(1.0)
        began = time.monotonic()
        statuses = burst(installation, situation) if situation != NOBODY else Counter[str]()
        predicted = finished(load, within_s=SECONDS + 30)
        seconds = time.monotonic() - began
    assert set(predicted["statuses"]) == {"200"}, predicted["statuses"]
    return Round(predicted["p99_ms"], statuses, allowed(situation, seconds), more())


def burst(installation: Installation, situation: str) -> Counter[str]:
    """Let all of them come as fast as they are answered, many at once."""
    return asyncio.run(answered(installation.port, attempts(situation)))


async def answered(port: int, messages: list[bytes]) -> Counter[str]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def status(message: bytes) -> str:
        async with turns:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(message)
                return (await asyncio.wait_for(reader.readline(), ANSWER_WITHIN_S)).split()[1].decode()
            finally:
                writer.close()

    return Counter(await asyncio.gather(*map(status, messages)))


def attempts(situation: str) -> list[bytes]:
    return [attempt(number, "192.0.2.7" if situation == ONE else address(number)) for number in range(ATTEMPTS)]


def attempt(number: int, client: str) -> bytes:
    name, headers = f"nobody-{number}", {"X-Forwarded-For": client, "Accept": "*/*", **JSON}
    if number % 2:
        basic = b64encode(f"{name}:a wrong password".encode()).decode()
        path, body, more = "/api/v1/models/iris/predict/", b"{}", {"Authorization": f"Basic {basic}"}
    else:
        body = json.dumps({"username": name, "password": "a wrong password"}).encode()
        path, more = "/api/token/", {}
    return request(path, host="localhost", body=body, headers=headers | more)


def address(number: int) -> str:
    return f"198.18.{number // 250}.{number % 250 + 1}"


def allowed(situation: str, seconds: float) -> int:
    """Return how many may fail in that time: a burst, and what is allowed anew meanwhile."""
    from foretell.accounts.login_limits import ADDRESS, TENANT

    rate = (ADDRESS if situation == ONE else TENANT).rate
    return rate.burst + int(seconds * rate.count / rate.period_s) + 1


@contextmanager
def most_memory(processes: list[psutil.Process]) -> Iterator[Any]:
    """Look at the memory meanwhile; give what tells how much more than at the beginning it was at most, in MB."""
    before, is_over = pss_mb(processes), threading.Event()
    most = before

    def watch() -> None:
        nonlocal most
        while not is_over.wait(0.1):
            most = max(most, pss_mb(processes))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield lambda: most - before
    finally:
        is_over.set()
        watching.join()


# --- what came of it ----------------------------------------------------------------------------------------------------


def verdicts(found: Found) -> dict[str, Verdict]:
    bursts = [each for situation in (ONE, MANY) for each in found[situation]]
    hashed = "; ".join(f"{said(found[situation])} {situation}" for situation in (ONE, MANY))
    are_answered = all(set(each.statuses) <= {"401", "429", "503"} for each in bursts)
    more_mb = max(each.more_mb for each in bursts)
    alone, beside = p99(found, NOBODY), {situation: p99(found, situation) for situation in (ONE, MANY)}
    latency = ", ".join(f"{ms:.2f} ms {situation} ({ms / alone - 1:+.0%})" for situation, ms in beside.items())
    return {
        "logins": Verdict(hashed, are_answered and all(each.hashed <= each.allowed for each in bursts)),
        "logins_memory": Verdict(f"{more_mb:.0f} MB more at most", more_mb <= MORE_MB),
        "logins_p99": Verdict(
            f"{alone:.2f} ms without, {latency}", max(beside.values()) <= alone * (1 + MORE_P99),
            "each web process hashes on one of the cores that it answers with",
        ),
    }  # fmt: skip


def said(rounds: list[Round]) -> str:
    return f"{max(each.hashed for each in rounds)} hashes where {min(each.allowed for each in rounds)} are allowed"


def p99(found: Found, situation: str) -> float:
    return statistics.median(each.p99_ms for each in found[situation])


def table(found: Found) -> Table:
    header = (
        "bad logins",
        "hashed (401)",
        "limits allow",
        "refused (429)",
        "busy (503)",
        "more memory, MB",
        "p99 of predictions, ms",
    )
    return f"{ATTEMPTS:,} bad logins, {AT_ONCE} at once, beside {RATE} predictions a second", header, [
        row(situation, found[situation]) for situation in SITUATIONS
    ]  # fmt: skip


def row(situation: str, rounds: list[Round]) -> list[str]:
    counts = (statistics.median(each.statuses[status] for each in rounds) for status in ("401", "429", "503"))
    hashed, refused, busy = (f"{count:,.0f}" for count in counts)
    allowed = "" if situation == NOBODY else f"{min(each.allowed for each in rounds)}"
    more_mb = f"{max(each.more_mb for each in rounds):.0f}"
    return [
        situation,
        hashed,
        allowed,
        refused,
        busy,
        more_mb,
        f"{statistics.median(each.p99_ms for each in rounds):.2f}",
    ]


if __name__ == "__main__":
    main()
