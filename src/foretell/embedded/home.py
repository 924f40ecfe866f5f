"""The directory of all state, and the lock that keeps a second installation out of it."""

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foretell.env import MalformedVariable, unusable_home
from foretell.errors import ForetellError

PRIVATE = ("run", "artifacts", "uploads")
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103


class HomeInUse(ForetellError):
    """Another `foretell up` works on this home."""

    code = "home_in_use"


def prepare_home(home: Path) -> None:
    """Make the home, closed to others. As root they may pass through, since the database's own user has to, and not look in.

    Raises
    ------
    MalformedVariable
        where it cannot be made or written to, or its path is too long for the sockets in it.
    """
    if len(os.fsencode(home / "run" / "sandbox.sock")) > SOCKET_PATH_BYTES:
        raise MalformedVariable("FORETELL_HOME", str(home), "a shorter path, since sockets live in it")
    try:
        _make(home)
    except OSError as err:
        raise unusable_home(home, err) from err


def _make(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for name in PRIVATE:
        (home / name).mkdir(exist_ok=True)
        (home / name).chmod(0o700)


@contextmanager
def locked_home(home: Path, *, url: str) -> Iterator[None]:
    """Hold the home for the length of the block; the kernel lets go of it when this process ends, however it ends.

    Raises
    ------
    HomeInUse
        names the process that holds it and where it serves.
    """
    path = home / "up.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUse(
                f"Foretell is running on {home} already{_holder(descriptor)}. Stop it first, or choose another FORETELL_HOME and PORT."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def running_url(home: Path) -> str | None:
    """Return where the `foretell up` of this home serves; None where none runs."""
    try:
        descriptor = os.open(home / "up.lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read_holder(descriptor)
        return str(holder["url"]) if holder else None
    else:
        return None
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    holder = _read_holder(descriptor)
    return f" (process {holder['pid']}, {holder['url']})" if holder else ""


def _read_holder(descriptor: int) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return holder if isinstance(holder, dict) and {"pid", "url"} <= holder.keys() else None
    return None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; whole, or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
