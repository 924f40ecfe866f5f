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
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from foretell.embedded.postgres import Postgres
from foretell.segments.lag import drain_lag, read_progress

FORETELL = Path(sys.executable).parent / "foretell"
IRIS = json.dumps(
    {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}
).encode()
START_DEADLINE_S, DRAIN_DEADLINE_S = 180.0, 120.0
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


def main() -> None:
    options = parsed()
    with tempfile.TemporaryDirectory(prefix="foretell-log-") as directory, installation(Path(directory)) as home:
        demo = json.loads((home / "demo.json").read_text())
        stop, tally = threading.Event(), Tally()
        with asking(demo, tally, stop, clients=options.clients, rate=options.rate):
            time.sleep(2)
            killed = kill_often(home, options.kills)
            time.sleep(2)
            before = tally.copy()
            outage(home, options.outage_s)
            while_away = tally - before
            time.sleep(2)
        drained_s = wait_until_drained(home)
        report(home, tally, while_away, killed, options.outage_s, drained_s)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--outage-s", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=float, default=400.0, help="requests a second, of all clients")
    return parser.parse_args()


# --- an installation ----------------------------------------------------------------------------------------------------


def database_of(home: Path) -> Postgres:
    return Postgres(home.parent / "database" / "data")


@contextlib.contextmanager
def installation(directory: Path) -> Iterator[Path]:
    directory.chmod(0o711)
    home, port = directory / "home", free_port()
    database = database_of(home)
    environment = {**os.environ, "FORETELL_HOME": str(home), "PORT": str(port), "DATABASE_URL": database.start()}
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen([FORETELL, "up"], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_for_prediction(home, process, directory / "up.log")
            yield home
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            database.stop()


def wait_for_prediction(home: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, KeyError, ValueError, http.client.HTTPException):
            if ask(connection_to(json.loads((home / "demo.json").read_text()))):
                return
        time.sleep(0.2)
    sys.exit(f"foretell up did not answer a prediction:\n{log.read_text()[-4_000:]}")


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- load ---------------------------------------------------------------------------------------------------------------

Connection = tuple[http.client.HTTPConnection, dict[str, str]]


def connection_to(demo: dict[str, str]) -> Connection:
    host, port = demo["url"].removeprefix("http://").split("/", 1)[0].split(":")
    headers = {"Authorization": f"Bearer {demo['api_key']}", "Content-Type": "application/json"}
    return http.client.HTTPConnection(host, int(port), timeout=30), headers


def ask(connection: Connection) -> str | None:
    """Return the id of an answered prediction; None where the answer is another one."""
    link, headers = connection
    link.request("POST", "/api/v1/models/iris/predict/", IRIS, headers)
    answer = link.getresponse()
    body = answer.read()
    return str(json.loads(body)["id"]) if answer.status == 200 else None


@contextlib.contextmanager
def asking(demo: dict[str, str], tally: Tally, stop: threading.Event, *, clients: int, rate: float) -> Iterator[None]:
    threads = [threading.Thread(target=keep_asking, args=(demo, tally, stop, clients / rate)) for _ in range(clients)]
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


def report(
    home: Path, tally: Tally, while_away: Tally, killed: dict[str, int], outage_s: float, drained_s: float
) -> None:
    rows = logged_ids(home)
    acknowledged = set(tally.acknowledged)
    lost = acknowledged - set(rows)
    log = home / "predictions"
    aside = len(list((log / "rejected").glob("*"))) + len(list(log.glob("*.damaged")))
    answered, others = len(while_away.acknowledged), while_away.refused + while_away.cut
    lines = {
        "killed with SIGKILL": ", ".join(f"{kind}: {count}" for kind, count in killed.items()),
        "predictions acknowledged": f"{len(tally.acknowledged):,}",
        "refused · cut off": f"{tally.refused:,} · {tally.cut:,}",
        f"database stopped for {outage_s:.0f} s: answered · not": f"{answered:,} · {others:,}",
        "drained after the load ended": f"{drained_s:.1f} s",
        "rows": f"{len(rows):,} ({len(set(rows) - acknowledged):,} of answers that were cut off)",
        "lost": f"{len(lost):,}",
        "doubled": f"{len(rows) - len(set(rows)):,}; set aside: {aside}; dropped: {read_progress(log).n_dropped}",
    }
    print("\n".join(f"| {what} | {measured} |" for what, measured in lines.items()))
    assert not lost, sorted(lost)[:10]
    assert len(rows) == len(set(rows))
    assert not aside


def logged_ids(home: Path) -> list[str]:
    with psycopg.connect(database_of(home).url) as connection:
        (schema,) = connection.execute("SELECT schema_name FROM tenants_tenant WHERE name = 'demo'").fetchone() or ("",)
        query = psycopg.sql.SQL("SELECT id::text FROM {}").format(
            psycopg.sql.Identifier(schema, "monitoring_prediction")
        )
        return [str(identifier) for (identifier,) in connection.execute(query)]


if __name__ == "__main__":
    main()
