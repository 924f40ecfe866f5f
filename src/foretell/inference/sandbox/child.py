"""A locked child: from the fork to its last answer. From its first job on, whoever wrote the artifact owns it."""

import gc
import io
import os
import signal
from typing import Any, NoReturn

from foretell.inference.sandbox import frames
from foretell.inference.sandbox.failures import EXIT_INCOMPLETE, EXIT_OUT_OF_MEMORY, describe
from foretell.inference.sandbox.limits import Limits
from foretell.inference.sandbox.lockdown import LayerMissing, lock_down
from foretell.inference.sandbox.preloading import Job, Jobs

_CHANNEL = 3  # the only descriptor besides /dev/null on 0, 1 and 2
_MAX_PAYLOAD_BYTES = 1 << 30
_OUT_OF_MEMORY = frames.encode({"out_of_memory": True})  # made ahead: then there may be no memory for it


def live(
    descriptor: int, jobs: Jobs, *, job: str, is_server: bool, limits: Limits, uid: int | None, parent: int
) -> NoReturn:
    """Lock this freshly forked process, do the job, and exit."""
    code = 1
    try:
        channel = _isolate(descriptor)
        code = _locked(channel, jobs, job=job, is_server=is_server, limits=limits, uid=uid, parent=parent)
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    finally:
        os._exit(code)


def _locked(
    channel: io.FileIO, jobs: Jobs, *, job: str, is_server: bool, limits: Limits, uid: int | None, parent: int
) -> int:
    try:
        lock_down(limits, uid=uid, parent=parent)
    except LayerMissing as missing:
        _send(channel, {"missing": missing.layer, "reason": missing.reason})
        return EXIT_INCOMPLETE
    _send(channel, {"ready": True})
    opening = _receive(channel)
    try:
        if is_server:
            _serve(channel, jobs, job, opening)
        else:
            _answer(channel, jobs.jobs[job], opening)
    except frames.Disconnected:
        pass
    return 0


def _serve(channel: io.FileIO, jobs: Jobs, name: str, opening: dict[str, Any]) -> None:
    """Open a server, then answer call after call until the client goes."""
    servers: list[Job] = []

    def open_server(payload: dict[str, Any]) -> dict[str, Any]:
        servers.append(jobs.servers[name](payload))
        return {}

    _answer(channel, open_server, opening)
    opening.clear()
    while servers:
        _answer(channel, servers[0], _receive(channel))


def _answer(channel: io.FileIO, job: Job, message: dict[str, Any]) -> None:
    try:
        reply = frames.encode({"id": message["id"], "ok": job(message["payload"])})
    except MemoryError:
        reply = _OUT_OF_MEMORY
    except BaseException as err:  # noqa: BLE001 - a job may raise anything, SystemExit too
        reply = frames.encode({"id": message["id"], "error": describe(err)})
    frames.send(channel.write, reply)


def _send(channel: io.FileIO, message: dict[str, Any]) -> None:
    frames.send(channel.write, frames.encode(message))


def _receive(channel: io.FileIO) -> dict[str, Any]:
    return frames.receive(channel.readinto, max_bytes=_MAX_PAYLOAD_BYTES)


def _isolate(descriptor: int) -> io.FileIO:
    """Keep nothing of the parent: no terminal, no signal handlers, no descriptors, no place in the file system."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(descriptor, _CHANNEL)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(_CHANNEL + 1, 1 << 20)
    os.chdir("/")
    gc.enable()
    return io.FileIO(_CHANNEL, "r+b", closefd=False)
