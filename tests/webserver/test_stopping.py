"""A stop loses nothing that was asked: what came is answered, each answer is the last of its connection, and then it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.webserver.servers import GOOD, SOON_S, Wire, served, stock, wait_until

SLOW = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"


def test_what_is_under_way_is_answered() -> None:
    with served() as server:
        wire = server.wire(SLOW)
        assert server.app.arrived.wait(SOON_S)

        server.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)
        server.app.let_go.set()

        answer = wire.answer()
        assert (answer.status, answer.is_last) == (200, True)
        assert wire.ends()
        server.stop()
        assert server.app.ended


def test_an_idle_connection_has_one_last_request() -> None:
    with served(handover_s=5.0) as server, stock() as control:
        wire, other = server.wire(GOOD), control.wire(GOOD)
        assert not wire.answer().is_last
        assert not other.answer().is_last

        for each in (server, control):
            each.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)
        wire.send(GOOD)

        assert wire.answer().is_last
        assert wire.ends()
        assert other.ends()  # the control closes it at once, in the face of a client that is just asking


@pytest.mark.parametrize(("is_announced", "bounds"), [(True, {"farewell_s": 0.1}), (False, {"handover_s": 0.1})])
def test_an_idle_connection_is_closed_after_its_farewell(is_announced: bool, bounds: dict[str, float]) -> None:
    """What is announced is the end of all; else another process takes over, and there is more time."""
    with served(**bounds) as server:
        wire = server.wire(GOOD)
        assert wire.answer().status == 200
        server.load.is_leaving = is_announced

        server.begin_to_stop()

        assert wire.ends()
        server.stop()


def test_half_a_request_is_waited_for() -> None:
    with served(handover_s=0.05) as server:
        wire = server.wire(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nxx")
        wait_until(lambda: bool(server.app.started))

        server.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)
        time.sleep(0.1)
        wire.send(b"xx")

        assert wire.answer().body == b"4"


def test_what_is_asked_behind_the_last_answer_is_never_executed() -> None:
    with served() as server:
        wire = server.wire(SLOW)
        assert server.app.arrived.wait(SOON_S)
        server.begin_to_stop()
        wait_until(lambda: server.server.state.leaving_since is not None)

        wire.send(GOOD)
        server.app.let_go.set()

        assert wire.answer().is_last
        assert wire.ends()
        assert len(server.app.started) == 1


def test_what_does_not_finish_is_cut_off_and_the_application_still_ends_in_order() -> None:
    with served(finish_s=0.2) as server:
        server.wire(SLOW)
        assert server.app.arrived.wait(SOON_S)

        server.stop()

        assert server.app.ended


def test_connections_that_the_kernel_accepted_are_served() -> None:
    with served(accept_s=0.3) as server:
        server.begin_to_stop()
        time.sleep(0.15)

        assert server.ask().status == 200


# --- as a process -------------------------------------------------------------------------------------------------------

PROCESS = """
    import socket, sys
    from foretell.webserver.bounds import Bounds
    from foretell.webserver.overload import load
    from foretell.webserver.server import serve
    from tests.webserver.servers import Echo

    class App(Echo):
        async def __call__(self, scope, receive, send):
            await super().__call__(scope | {"path": "/slow"} if load.is_leaving else scope, receive, send)

    serve(App(), socket.socket(fileno=int(sys.argv[1])), bounds=Bounds(), on_ready=lambda: print("ready", flush=True))
"""


@pytest.fixture
def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_sigusr1_announces_sigterm_stops_and_a_second_one_shortens_it(listener: socket.socket) -> None:
    root = Path(__file__).parents[2]
    with listener, subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROCESS), str(listener.fileno())], pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    ) as process, contextlib.closing(Wire(listener.getsockname()[1])) as wire:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        wire.send(GOOD)
        assert wire.answer().status == 200
        process.send_signal(signal.SIGUSR1)  # from here on, nothing finishes
        time.sleep(0.1)
        wire.send(GOOD)
        assert wire.stays_open(for_s=0.3)

        process.terminate()
        assert wire.stays_open(for_s=0.5)
        process.terminate()

        assert process.wait(SOON_S) == 0
