"""Parts are started, watched, started again and stopped in order; none outlives the supervisor."""

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
    (tmp_path / "dying.py").write_text("import sys; sys.exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def part(place: Path, log: Log) -> Iterator[Callable[..., Part]]:
    parts: list[Part] = []

    def make(name: str, *arguments: str, stop_within_s: float = 10.0) -> Part:
        parts.append(Part(name, arguments or ["steady", str(place / name)], stop_within_s, log))
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
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    supervisor.handle_signals()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        supervisor.watch()
        began = time.monotonic()

        supervisor.stop()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert not deaf.is_running
    assert time.monotonic() - began < 3.0


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
