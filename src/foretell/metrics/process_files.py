"""One file for each process, with what it counted: whoever is asked adds all of them up.

A process holds a lock for as long as it lives; the kernel lets go of it however the process ends. What dead ones counted is
folded into one file, so that no counter ever goes back; their gauges are gone with them.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import msgspec

from foretell.metrics.snapshots import Merged, Snapshot, lasting, merged, without_tenant

log = logging.getLogger(__name__)

TOTALS = "totals.msgpack"
MAX_FOLDED_SERIES = 10_000  # of each family
_LEFTOVER_S = 60.0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


class ProcessFile:
    """The file of the process that makes it; its name has pid and start, so that a pid that comes again is another process."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = f"{os.getpid()}-{time.time_ns()}"
        self._pid = os.getpid()
        self._path = directory / f"{self.name}.msgpack"
        self._lock_path = directory / f"{self.name}.lock"
        self._descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.register_at_fork(after_in_child=self._forget)

    def publish(self, snapshot: Snapshot) -> None:
        """Let others see what was counted by now; they find the last snapshot whole, or this one."""
        if os.getpid() == self._pid and self._descriptor >= 0:
            _replace(self._path, snapshot)

    def close(self) -> None:
        """Say no more; whoever looks next folds what was published."""
        self._forget()

    def _forget(self) -> None:
        """Let go of the lock, or of a parent's: a fork's copy of it would keep a dead parent alive."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


def read_all(directory: Path, *, instead: Mapping[str, Snapshot] = MappingProxyType({})) -> Merged:
    """Return what all processes of this installation have counted, those included that are no more.

    instead : what holds for a living process by its name, whatever its file says.
    """
    with _turn(directory):
        totals = _read(directory / TOTALS) or Snapshot()
        living, dead = _processes(directory)
        if dead or totals.folded:
            totals = _folded(directory, totals, dead)
        return merged([totals, *{**living, **instead}.values()])


def forget_tenant(directory: Path, *, tenant: str) -> None:
    """Take a tenant that is gone out of what dead processes counted; the living forget it by themselves."""
    if directory.is_dir():
        with _turn(directory):
            _folded(directory, _read(directory / TOTALS) or Snapshot(), _processes(directory)[1], forget=tenant)


def _folded(directory: Path, totals: Snapshot, dead: dict[str, Snapshot], *, forget: str | None = None) -> Snapshot:
    """Add the dead to the totals, and take their files away.

    Race condition: whoever dies in between leaves files that are in the totals already; their names say so.
    """
    fresh = [snapshot for name, snapshot in dead.items() if name not in totals.folded]
    found = merged([totals, *fresh])
    series = lasting(found if forget is None else without_tenant(found, forget), max_series=MAX_FOLDED_SERIES)
    result = Snapshot(series=series, folded=sorted(dead))
    try:
        _replace(directory / TOTALS, result)
    except OSError as err:  # as where the disk is full: the dead keep their files until it can be done
        log.warning("what dead processes counted cannot be folded: %s", err)
        return result
    for name in dead:
        (directory / f"{name}.msgpack").unlink(missing_ok=True)
        (directory / f"{name}.lock").unlink(missing_ok=True)
    return result


def _processes(directory: Path) -> tuple[dict[str, Snapshot], dict[str, Snapshot]]:
    """Return the snapshots of the processes that live, and of those that are dead, by their names."""
    living: dict[str, Snapshot] = {}
    dead: dict[str, Snapshot] = {}
    for path in sorted(directory.glob("*-*.msgpack")):
        is_alive = _is_held(path.with_suffix(".lock"))  # before it is read: the dead have said all they will by then
        snapshot = _read(path) or Snapshot()
        if is_alive:
            living[path.stem] = snapshot
        else:
            dead[path.stem] = snapshot
    _drop_leftovers(directory)
    return living, dead


def _drop_leftovers(directory: Path) -> None:
    """Remove what processes left that died before they had published anything, or while they did."""
    for path in (*directory.glob("*-*.lock"), *directory.glob(".*.msgpack.*")):
        with contextlib.suppress(OSError):
            is_old = time.time_ns() / 1e9 - path.stat().st_mtime > _LEFTOVER_S
            is_lock = path.suffix == ".lock"
            if is_old and not (is_lock and (path.with_suffix(".msgpack").exists() or _is_held(path))):
                path.unlink()


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """Let one at a time look and fold: nobody sees a dead process both in its file and in the totals."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> Snapshot | None:
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as err:
        log.warning("the metrics in %s cannot be read, and are left out: %s", path.name, err)
        return None


def _replace(path: Path, snapshot: Snapshot) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(_encode(snapshot))
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # on a disk that is full, of all things
        raise
