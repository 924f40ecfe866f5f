"""Parts are started, watched, started again, replaced and stopped in order; none outlives the supervisor."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from foretell.embedded.parts import Part
from foretell.embedded.supervisor import PrefixedLog, Supervisor

# A part that lives until SIGTERM, or, with "deaf", longer; each says by its file that it is there.
STEADY = """
import os, signal, sys, time
from pathlib import Path
from foretell.embedded.parts import die_with_supervisor
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    die_with_supervisor()
print("here", flush=True)
Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""
SUPERVISE = """
import sys, time
from foretell.embedded.parts import Part
Part("part", sys.argv[1:], 1, print).start()
time.sleep(60)
"""


# A part that drains: it says that it is ready, notes its signals in a file of its own, and ends at the second one, or when told to.
DRAINING = """
import os, signal, sys, time
from pathlib import Path
from foretell.embedded.parts import die_with_supervisor, say_ready
place, words = Path(sys.argv[1]), sys.argv[2:]
notes = place / f"{os.getpid()}.signals"
def note(number, frame):
    with notes.open("a") as file:
        file.write(signal.Signals(number).name + " ")
    if number == signal.SIGTERM and ("patient" not in words or notes.read_text().count("SIGTERM") > 1):
        sys.exit(0)
signal.signal(signal.SIGTERM, note)
signal.signal(signal.SIGUSR1, note)
die_with_supervisor()
if (place / "broken").exists():
    sys.exit(3)
if not (place / "mute").exists():
    say_ready()
while True:
    time.sleep(0.02)
"""


class Log:
    """Keeps what the parts say."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose modules can be parts."""
    (tmp_path / "steady.py").write_text(STEADY)
    (tmp_path / "draining.py").write_text(DRAINING)
    (tmp_path / "dying.py").write_text("import sys; sys.exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def part(place: Path, log: Log) -> Iterator[Callable[..., Part]]:
    parts: list[Part] = []

    def make(name: str, *arguments: str, stop_within_s: float = 10.0, drains: bool = False) -> Part:
        parts.append(Part(name, arguments or ["steady", str(place / name)], stop_within_s, log, drains=drains))
        return parts[-1]

    yield make
    for each in parts:
        each.wait(lambda: 0.0)


def wait_until(is_so: Callable[[], bool], *, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def stop_once(is_so: Callable[[], bool]) -> None:
    try:
        wait_until(is_so)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def pid(part: Part) -> int:
    assert part.process is not None
    return part.process.pid


def signals(place: Path, number: int) -> list[str]:
    """Return the signals that a draining part has noted."""
    with contextlib.suppress(FileNotFoundError):
        return (place / f"{number}.signals").read_text().split()
    return []


@contextlib.contextmanager
def handled(supervisor: Supervisor) -> Iterator[None]:
    """Let the supervisor have the signals for the length of the block."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # be the tests run under nohup or not
    supervisor.handle_signals()
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def endings(log: Log) -> Sequence[str]:
    return [line for _, line in log.lines if line.startswith("ended with")]


def test_a_part_that_was_killed_is_started_again_at_once(place: Path, part: Callable[..., Part], log: Log) -> None:
    steady = part("web.1")
    steady.start()
    wait_until((place / "web.1").exists)
    assert steady.process is not None
    first = steady.process.pid

    steady.process.kill()
    steady.process.wait()
    steady.watch(time.monotonic())

    assert steady.is_running
    assert steady.process.pid != first
    assert endings(log) == ["ended with signal SIGKILL; starting it again"]


def test_a_part_that_keeps_ending_is_started_ever_more_slowly_and_said_so(part: Callable[..., Part], log: Log) -> None:
    dying = part("worker", "dying")
    supervisor = Supervisor()
    supervisor.start(dying)

    supervisor.wait_until(lambda: dying.deaths >= 4, within_s=20)

    assert dying.backoff_s == pytest.approx(0.8)
    assert "exit code 3" in endings(log)[0]
    assert "it ended 3 times in a row, see its lines above" in endings(log)[2]


def test_parts_stop_kind_after_kind_and_what_they_say_is_logged(
    place: Path, part: Callable[..., Part], log: Log
) -> None:
    supervisor = Supervisor()
    parts = [part("web.1"), part("web.2"), part("worker")]
    supervisor.start(*parts)
    wait_until(lambda: all((place / each.name).exists() for each in parts))

    supervisor.stop()

    assert [each.is_running for each in parts] == [False, False, False]
    assert {(each.name, "here") for each in parts} <= set(log.lines)


def test_a_part_that_does_not_end_is_killed_in_time(place: Path, part: Callable[..., Part], log: Log) -> None:
    deaf = part("worker", "steady", str(place / "worker"), "deaf", stop_within_s=0.3)
    supervisor = Supervisor()
    supervisor.start(deaf)
    wait_until((place / "worker").exists)

    supervisor.stop()

    assert not deaf.is_running
    assert ("worker", "did not end within 0 s; killed") in log.lines


def test_a_second_signal_shortens_a_stop_that_is_under_way(place: Path, part: Callable[..., Part]) -> None:
    deaf = part("worker", "steady", str(place / "worker"), "deaf", stop_within_s=5.0)
    supervisor = Supervisor()
    supervisor.start(deaf)
    wait_until((place / "worker").exists)
    with handled(supervisor):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        supervisor.watch()
        began = time.monotonic()

        supervisor.stop()

    assert not deaf.is_running
    assert time.monotonic() - began < 3.0


def test_a_part_that_drains_says_when_it_is_ready(place: Path, part: Callable[..., Part]) -> None:
    web = part("web.1", "draining", str(place), drains=True)
    assert not web.is_ready
    web.start()

    wait_until(lambda: web.is_ready)

    web.terminate()
    wait_until(lambda: not web.is_running)
    assert not web.is_ready


def test_renewal_starts_a_successor_before_its_predecessor_is_told_to_end(
    place: Path, part: Callable[..., Part], log: Log
) -> None:
    supervisor = Supervisor()
    parts = [part(name, "draining", str(place), drains=True) for name in ("web.1", "web.2")]
    steady = part("worker")
    supervisor.start(*parts, steady)
    wait_until(lambda: all(each.is_ready for each in parts))
    before = [pid(each) for each in (*parts, steady)]

    supervisor.renew()

    assert [each.is_ready for each in parts] == [True, True]
    assert not {pid(each) for each in parts} & set(before)
    assert pid(steady) == before[-1]
    assert [signals(place, number) for number in before[:2]] == [["SIGTERM"], ["SIGTERM"]]
    assert endings(log) == []
    supervisor.stop()
    assert not any(each.is_running for each in (*parts, steady))


@pytest.mark.parametrize("trouble", ["broken", "mute"])
def test_where_the_successor_does_not_get_ready_all_stays_as_it_was(
    place: Path, part: Callable[..., Part], log: Log, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foretell.embedded.supervisor.READY_WITHIN_S", 2.0)
    supervisor = Supervisor()
    parts = [part(name, "draining", str(place), drains=True) for name in ("web.1", "web.2")]
    supervisor.start(*parts)
    wait_until(lambda: all(each.is_ready for each in parts))
    before = [pid(each) for each in parts]
    (place / trouble).touch()

    supervisor.renew()

    assert [pid(each) for each in parts] == before
    assert all(each.is_ready for each in parts)
    assert [line for _, line in log.lines if "successor" in line] == [
        "its successor did not get ready, see its lines above; it goes on as it was"
    ]
    supervisor.stop()


def test_sighup_renews(place: Path, part: Callable[..., Part]) -> None:
    supervisor = Supervisor()
    web = part("web.1", "draining", str(place), drains=True)
    supervisor.start(web)
    wait_until(lambda: web.is_ready)
    first = pid(web)
    with handled(supervisor):
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGHUP]).start()
        threading.Thread(target=stop_once, args=[lambda: pid(web) != first]).start()

        supervisor.watch()

        supervisor.stop()

    assert signals(place, first) == ["SIGTERM"]


def test_a_stop_during_a_renewal_ends_both(place: Path, part: Callable[..., Part]) -> None:
    supervisor = Supervisor()
    web = part("web.1", "draining", str(place), drains=True)
    supervisor.start(web)
    wait_until(lambda: web.is_ready)
    first = pid(web)
    (place / "mute").touch()
    with handled(supervisor):
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
        supervisor.renew()

        supervisor.stop()

    assert not is_alive(first)
    assert not [path for path in place.glob("*.signals") if is_alive(int(path.stem))]


def test_a_stop_is_announced_to_the_parts_that_drain(place: Path, part: Callable[..., Part]) -> None:
    supervisor = Supervisor()
    web, worker = part("web.1", "draining", str(place), drains=True), part("worker")
    supervisor.start(web, worker)
    wait_until(lambda: web.is_ready and (place / "worker").exists())

    supervisor.announce_stop(wait_s=0.1)

    wait_until(lambda: signals(place, pid(web)) == ["SIGUSR1"])
    assert worker.is_running
    supervisor.stop()


def test_haste_is_passed_on_to_a_part_that_drains(place: Path, part: Callable[..., Part]) -> None:
    web = part("web.1", "draining", str(place), "patient", drains=True)
    web.start()
    wait_until(lambda: web.is_ready)
    number = pid(web)
    web.terminate()
    wait_until(lambda: signals(place, number) == ["SIGTERM"])

    web.wait(lambda: 0.5)

    assert signals(place, number) == ["SIGTERM", "SIGTERM"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's signal at a parent's death is Linux's")
@pytest.mark.parametrize(("words", "outlives"), [([], False), (["deaf"], True)])
def test_a_part_ends_with_a_supervisor_that_was_killed(place: Path, words: list[str], outlives: bool) -> None:
    mark = place / "part"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISE, "steady", str(mark), *words], cwd=place)
    wait_until(mark.exists)
    pid = int(mark.read_text())

    supervisor.kill()
    supervisor.wait()

    try:
        if outlives:  # the control: one that does not listen is still there
            time.sleep(0.5)
            assert is_alive(pid)
        else:
            wait_until(lambda: not is_alive(pid))
    finally:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_each_line_of_the_log_begins_with_its_part(capsys: pytest.CaptureFixture[str]) -> None:
    log = PrefixedLog()

    log("web.1", "here")

    assert capsys.readouterr().err == "web.1    | here\n"


def test_the_supervisor_imports_neither_django_nor_numpy() -> None:
    program = """
        import sys
        import foretell.cli.server.up
        print(sorted({"django", "numpy", "sklearn", "psycopg", "httpx"} & set(sys.modules)))
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
