"""One embedded server for whoever needs it at the same time: the first one starts it, the last one stops it.

`foretell up`, its worker and a command that administers a tenant all come and go. The kernel counts them, by a lock that each of
them holds and that ends with its process, so that one that was killed is counted no longer.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretell.embedded.ending import undisturbed
from foretell.embedded.postgres import Postgres


@contextmanager
def shared(server: Postgres) -> Iterator[str]:
    """Have the server for the length of the block; yield its URL."""
    server.data_dir.parent.mkdir(parents=True, exist_ok=True)
    users = _opened(server.data_dir.parent / "users.lock")
    try:
        with _switch(server):
            url = server.start()
            fcntl.flock(users, fcntl.LOCK_SH)
        yield url
    finally:
        with undisturbed(), _switch(server):
            if _is_last(users):
                server.stop()
        os.close(users)


def restart(server: Postgres) -> None:
    """Start a server again that was killed under its users."""
    with _switch(server):
        server.start()


@contextmanager
def _switch(server: Postgres) -> Iterator[None]:
    """Race condition: between the look whether somebody needs the server and its stop, nobody else begins to."""
    lock = _opened(server.data_dir.parent / "switch.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
