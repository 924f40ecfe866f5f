"""The life of the parent, from its preload to its last child."""

import gc
import os
import signal
import socket
import sys
from pathlib import Path

from foretell.inference.sandbox import kernel
from foretell.inference.sandbox.forkserver import ForkServer
from foretell.inference.sandbox.landlock import readable_paths
from foretell.inference.sandbox.preloading import Jobs


def harden() -> None:
    """Be a poor source of secrets and a good first choice when memory runs out: children inherit both."""
    os.umask(0o077)
    os.chdir("/")
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        pass  # a container may forbid it; it is a preference, not a lock
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def serve(socket_path: Path, jobs: Jobs, *, die_with: int | None = None) -> None:
    """Fork locked children at `socket_path` until SIGTERM, or until the process behind the pidfd `die_with` ends."""
    readable_paths()  # computed once, for every child
    _warn_of_threads()
    gc.collect()
    gc.freeze()  # Optimization: the collector would touch, and so copy, every page in every child
    with _listen(socket_path) as listener:
        server = ForkServer(listener, jobs)
        _stop_on_signals(server)
        if die_with is not None:
            server.watch(die_with, server.stop)
        server.run()
        socket_path.unlink(missing_ok=True)


def _warn_of_threads() -> None:
    """Say so where a library has threads: a fork keeps one, and a lock held by another stays locked in every child."""
    count = len(os.listdir("/proc/self/task"))
    if count > 1:
        print(f"A preloaded library started {count - 1} threads; forking is not safe with them.", file=sys.stderr)  # noqa: T201


def _stop_on_signals(server: ForkServer) -> None:
    """Race condition: a signal that arrives just before the wait must end it, so it also writes to a pipe."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    server.watch(reader, lambda: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())


def _listen(path: Path) -> socket.socket:
    """Listen where only this user and root can reach: in a directory of ours or with a socket of ours, as 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_answering(path):
        raise SystemExit(f"Another sandbox listens at {path}.")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))  # 0600, by the umask
    listener.listen(128)
    return listener


def _is_answering(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(path)) == 0
