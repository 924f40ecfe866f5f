"""Kill everything, take the database away, and count: is each acknowledged prediction in the log, once?

    python benchmarks/prediction_log.py [--kills 50] [--outage-s 60] [--clients 8] [--rate 400]

Starts a whole installation of its own, `foretell up` on a database that this program holds, and asks it for predictions all the time.
Meanwhile web processes and the worker, which has the drainer in it, are killed with SIGKILL, and the database is stopped and started
again. In the end the ids that clients were given are compared with the rows.
"""

import argparse
import contextlib
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from contenders.artifacts import case_of, instances
from contenders.foretell import demo, up
from goals import Verdict
from installation import FORETELL
from results import Table, keep

from foretell.embedded.postgres import Postgres
from foretell.segments.lag import drain_lag, read_progress

KILLS, OUTAGE_S = 50, 60.0
DRAIN_DEADLINE_S = 120.0
BETWEEN_KILLS_S = (0.5, 3.0)


@dataclass
class Tally:
    """What clients saw. `refused` is an answer that is no prediction; `cut` is no answer at all."""

    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    cut: int = 0

    def __sub__(self, before: "Tally") -> "Tally":
        return Tally(
            self.acknowledged[len(before.acknowledged) :], self.refused - before.refused, self.cut - before.cut
        )

    def copy(self) -> "Tally":
        return Tally(list(self.acknowledged), self.refused, self.cut)


@dataclass(frozen=True)
class Log:
    """What is in the database when all is drained, beside what clients were told."""

    acknowledged: int
    rows: int
    unasked: int  # rows of answers that were cut off on their way
    lost: int
    doubled: int
    aside: int
    dropped: int
    drained_s: float

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.doubled or self.aside or self.dropped)


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory(prefix="foretell-log-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o711)
        home = Path(directory) / "home"
        home.mkdir(mode=0o711)
        with database(home) as url, up(FORETELL, home, DATABASE_URL=url):
            found = measure(home, options)
    is_whole = options.kills >= KILLS and options.outage_s >= OUTAGE_S
    keep("prediction_log", verdicts=verdicts(*found), tables=[table(*found)], is_whole=is_whole)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--outage-s", type=float, default=OUTAGE_S)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=float, default=400.0, help="requests a second, of all clients")
    parser.add_argument("--quick", action="store_true", help="4 kills and 5 s, shown only")
    options = parser.parse_args()
    if options.quick:
        options.kills, options.outage_s = 4, 5.0
    return options


def measure(home: Path, options: argparse.Namespace) -> tuple[dict[str, int], Tally, float, Tally, Log]:
    stop, tally = threading.Event(), Tally()
    with asking(demo(home), tally, stop, clients=options.clients, rate=options.rate):
        time.sleep(2)
        killed = kill_often(home, options.kills)
        time.sleep(2)
        before = tally.copy()
        outage(home, options.outage_s)
        while_away = tally - before
        time.sleep(2)
    return killed, while_away, options.outage_s, tally, counted(home, tally, wait_until_drained(home))


# --- an installation ----------------------------------------------------------------------------------------------------


def database_of(home: Path) -> Postgres:
    return Postgres(home.parent / "database" / "data")


@contextlib.contextmanager
def database(home: Path) -> Iterator[str]:
    """Hold a database that can be taken away, which `foretell up` would start again."""
    held = database_of(home)
    try:
        yield held.start()
    finally:
        held.stop()


# --- load ---------------------------------------------------------------------------------------------------------------

Connection = tuple[http.client.HTTPConnection, dict[str, str]]


def connection_to(demo: dict[str, str]) -> Connection:
    host, port = demo["url"].removeprefix("http://").split("/", 1)[0].split(":")
    headers = {"Authorization": f"Bearer {demo['api_key']}", "Content-Type": "application/json"}
    return http.client.HTTPConnection(host, int(port), timeout=30), headers


def ask(connection: Connection) -> str | None:
    """Return the id of an answered prediction; None where the answer is another one."""
    link, headers = connection
    link.request("POST", "/api/v1/models/iris/predict/", instances(case_of("one")), headers)
    answer = link.getresponse()
    body = answer.read()
    return str(json.loads(body)["id"]) if answer.status == 200 else None


@contextlib.contextmanager
def asking(known: dict[str, str], tally: Tally, stop: threading.Event, *, clients: int, rate: float) -> Iterator[None]:
    threads = [threading.Thread(target=keep_asking, args=(known, tally, stop, clients / rate)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def keep_asking(demo: dict[str, str], tally: Tally, stop: threading.Event, every_s: float) -> None:
    connection, due = connection_to(demo), time.monotonic()
    while not stop.is_set():
        try:
            identifier = ask(connection)
            if identifier is None:
                tally.refused += 1
            else:
                tally.acknowledged.append(identifier)
        except (OSError, http.client.HTTPException, ValueError):
            tally.cut += 1
            connection[0].close()
        due = max(due + every_s, time.monotonic() - 1.0)
        stop.wait(max(due - time.monotonic(), 0.0))


# --- trouble ------------------------------------------------------------------------------------------------------------


def kill_often(home: Path, times: int) -> dict[str, int]:
    """Kill a web process or the worker, again and again, at times that nobody chose."""
    chance, killed = random.Random(1), {"web": 0, "worker": 0}  # noqa: S311  no secret
    while sum(killed.values()) < times:  # the supervisor lets a part that dies often wait before it starts again
        kind = chance.choice(["web", "worker"])
        if victims := parts_of(home, kind):
            chance.choice(victims).kill()
            killed[kind] += 1
        time.sleep(chance.uniform(*BETWEEN_KILLS_S))
    return killed


def parts_of(home: Path, kind: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            if "foretell.cli" in command and kind in command and process.environ().get("FORETELL_HOME") == str(home):
                found.append(process)
    return found


def outage(home: Path, seconds: float) -> None:
    database = database_of(home)
    database.stop()
    time.sleep(seconds)
    database.start()


def wait_until_drained(home: Path) -> float:
    started = time.monotonic()
    while drain_lag(home / "predictions").n_bytes:
        if time.monotonic() - started > DRAIN_DEADLINE_S:
            sys.exit("the log was not drained in time")
        time.sleep(0.1)
    time.sleep(0.5)
    return time.monotonic() - started


# --- counting -----------------------------------------------------------------------------------------------------------


def counted(home: Path, tally: Tally, drained_s: float) -> Log:
    rows, log = logged_ids(home), home / "predictions"
    acknowledged = set(tally.acknowledged)
    return Log(
        acknowledged=len(tally.acknowledged),
        rows=len(rows),
        unasked=len(set(rows) - acknowledged),
        lost=len(acknowledged - set(rows)),
        doubled=len(rows) - len(set(rows)),
        aside=len(list((log / "rejected").glob("*"))) + len(list(log.glob("*.damaged"))),
        dropped=read_progress(log).n_dropped,
        drained_s=drained_s,
    )


def verdicts(killed: dict[str, int], away: Tally, outage_s: float, tally: Tally, log: Log) -> dict[str, Verdict]:
    others = away.refused + away.cut
    asked = len(away.acknowledged) + others
    rows = f"of {log.acknowledged:,} acknowledged {log.lost} lost, {log.doubled} doubled"
    outage = f"{outage_s:.0f} s: {len(away.acknowledged) / max(1, asked):.2%} of {asked:,} answered; {rows}"
    kills = f"{sum(killed.values())} kills ({', '.join(f'{kind} {count}' for kind, count in killed.items())}): {rows}"
    aside = f"{log.aside} files set aside, {log.dropped} records dropped"
    return {
        "outage": Verdict(outage, not others and log.is_right, f"{away.refused} refused, {away.cut} cut off; {aside}"),
        "kills": Verdict(kills, log.is_right, aside),
    }


def table(killed: dict[str, int], away: Tally, outage_s: float, tally: Tally, log: Log) -> Table:
    rows = [
        ["killed with SIGKILL", ", ".join(f"{kind}: {count}" for kind, count in killed.items())],
        ["predictions acknowledged", f"{log.acknowledged:,}"],
        ["refused, cut off, by the kills and the outage", f"{tally.refused:,}, {tally.cut:,}"],
        [f"… of these while the database was away for {outage_s:.0f} s", f"{away.refused:,}, {away.cut:,}"],
        ["drained after the load ended", f"{log.drained_s:.1f} s"],
        ["rows", f"{log.rows:,} ({log.unasked:,} of answers that were cut off)"],
        ["lost, doubled, set aside, dropped", f"{log.lost:,}, {log.doubled:,}, {log.aside:,}, {log.dropped:,}"],
    ]
    return "", ("what", "measured"), rows


def logged_ids(home: Path) -> list[str]:
    with psycopg.connect(database_of(home).url) as connection:
        (schema,) = connection.execute("SELECT schema_name FROM tenants_tenant WHERE name = 'demo'").fetchone() or ("",)
        query = psycopg.sql.SQL("SELECT id::text FROM {}").format(
            psycopg.sql.Identifier(schema, "monitoring_prediction")
        )
        return [str(identifier) for (identifier,) in connection.execute(query)]


if __name__ == "__main__":
    main()
