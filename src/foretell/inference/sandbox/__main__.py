"""``python -m foretell.inference.sandbox --socket PATH``: the preloaded parent of the locked children."""

import argparse
import gc
import os
import signal
import socket
import sys
from pathlib import Path

from foretell.inference.sandbox import kernel
from foretell.inference.sandbox.environment import clean_environment
from foretell.inference.sandbox.forkserver import ForkServer
from foretell.inference.sandbox.landlock import readable_paths
from foretell.inference.sandbox.preloading import load_jobs


def main() -> int:
    arguments = _parse()
    if not kernel.IS_LINUX:
        print("The sandbox needs Linux: Landlock and seccomp are its locks.", file=sys.stderr)  # noqa: T201
        return 69
    _forget_the_environment()
    _become_a_parent()
    return _serve(arguments)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m foretell.inference.sandbox", description=__doc__)
    parser.add_argument(
        "--socket", type=Path, required=True, help="where to listen; its directory is made private (0700)"
    )
    parser.add_argument("--jobs", default="foretell.inference.jobs", help="module with JOBS, SERVERS and PRELOAD")
    parser.add_argument(
        "--die-with-parent", action="store_true", help="stop when the process that started this one ends"
    )
    return parser.parse_args()


def _forget_the_environment() -> None:
    """Start over without the secrets of the environment.

    Security: to delete a variable is not enough. The kernel keeps the first environment at the top of the stack, and
    each child would inherit it.
    """
    wanted = clean_environment()
    if dict(os.environ) != wanted:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)  # noqa: S606 - this very program again


def _become_a_parent() -> None:
    """Be a poor source of secrets and a good first choice when memory runs out: children inherit both."""
    os.umask(0o077)
    os.chdir("/")
    os.closerange(3, 1 << 20)
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        pass  # a container may forbid it; it is a preference, not a lock
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def _serve(arguments: argparse.Namespace) -> int:
    parent = os.pidfd_open(os.getppid()) if arguments.die_with_parent else None
    jobs = load_jobs(arguments.jobs)
    readable_paths()  # computed once, for every child
    gc.collect()
    gc.freeze()  # Optimization: the collector would touch, and so copy, every page in every child
    with _listen(arguments.socket) as listener:
        server = ForkServer(listener, jobs)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        signal.signal(signal.SIGINT, lambda *_: server.stop())
        _wake_on_signals(server)
        if parent is not None:
            server.watch(parent, server.stop)
        server.run()
    arguments.socket.unlink(missing_ok=True)
    return 0


def _wake_on_signals(server: ForkServer) -> None:
    """Race condition: a signal that arrives just before the wait must end it, so it also writes to a pipe."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    server.watch(reader, lambda: None)


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if _is_answering(path):
        raise SystemExit(f"Another sandbox listens at {path}.")
    path.unlink(missing_ok=True)
    listener.bind(str(path))  # 0600, by the umask
    listener.listen(128)
    return listener


def _is_answering(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(path)) == 0


if __name__ == "__main__":
    sys.exit(main())
