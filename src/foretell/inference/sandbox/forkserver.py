"""The preloaded parent: forks one locked child per connection, watches it, and says how it ended.

It never reads what a client sends to a child, nor what a child answers: those have a socket of their own. One thread,
so that forking is safe.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

import msgspec

from foretell.inference.sandbox import child, protocol
from foretell.inference.sandbox.peers import is_trusted
from foretell.inference.sandbox.preloading import Jobs
from foretell.inference.sandbox.privileges import throwaway_uids
from foretell.inference.sandbox.protocol import Reply, Request

MAX_CHILDREN = 128


@dataclass(eq=False, slots=True)
class _Child:
    """A forked child and the connection that it lives and dies with."""

    control: socket.socket
    pid: int
    pidfd: int
    uid: int | None
    deadline: float  # on time.monotonic()'s clock
    killed: str = ""


class ForkServer:
    """Serve until `stop` or SIGTERM."""

    def __init__(self, listener: socket.socket, jobs: Jobs) -> None:
        self._listener = listener
        self._jobs = jobs
        self._selector = selectors.DefaultSelector()
        self._children: set[_Child] = set()
        uids = throwaway_uids()
        self._uids = cycle(uids) if uids else None
        self._is_stopping = False

    def run(self) -> None:
        self._watch(self._listener.fileno(), self._accept)
        while not self._is_stopping:
            for key, _ in self._selector.select(self._patience()):
                # Race condition: a child's end and its client's leaving come in one batch; the first ends the second.
                if self._selector.get_map().get(key.fileobj) is key:
                    key.data()
            self._kill_the_late()
        for child_ in self._children:
            _kill(child_)

    def stop(self) -> None:
        self._is_stopping = True

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Call `callback` whenever `descriptor` becomes readable."""
        self._watch(descriptor, callback)

    def _watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, callback)

    def _accept(self) -> None:
        control, _ = self._listener.accept()
        control.setblocking(False)
        if not is_trusted(control):
            control.close()
            return
        self._watch(control.fileno(), lambda: self._read_request(control))

    def _read_request(self, control: socket.socket) -> None:
        self._selector.unregister(control.fileno())
        try:
            request = protocol.decode_request(control.recv(protocol.MAX_DATAGRAM_BYTES))
        except (OSError, msgspec.DecodeError):
            control.close()
            return
        reason = self._refusal(request)
        if reason:
            _tell(control, Reply("refused", reason))
            control.close()
        else:
            self._start(control, request)

    def _refusal(self, request: Request) -> str:
        known = self._jobs.jobs if request.kind == "run" else self._jobs.servers
        if request.job not in known:
            return f"it knows no {request.job!r}; it knows {', '.join(sorted(known)) or 'nothing'}"
        if len(self._children) >= MAX_CHILDREN:
            return f"{MAX_CHILDREN} jobs are running already; try again when one has ended"
        return ""

    def _start(self, control: socket.socket, request: Request) -> None:
        ours, theirs = socket.socketpair()
        uid = self._free_uid()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as err:
            _tell(control, Reply("refused", f"it cannot fork: {err.strerror}"))
            control.close()
            return
        if pid == 0:
            is_server = request.kind == "open"
            child.live(
                theirs.fileno(),
                self._jobs,
                job=request.job,
                is_server=is_server,
                limits=request.limits,
                uid=uid,
                parent=parent,
            )
        theirs.close()
        self._adopt(control, pid, uid, request)
        _tell(control, Reply("started"), ours)
        ours.close()

    def _adopt(self, control: socket.socket, pid: int, uid: int | None, request: Request) -> None:
        deadline = time.monotonic() + request.limits.wall_s if request.kind == "run" else float("inf")
        adopted = _Child(control, pid, os.pidfd_open(pid), uid, deadline)
        self._children.add(adopted)
        self._watch(adopted.pidfd, lambda: self._bury(adopted))
        self._watch(control.fileno(), lambda: self._let_go(adopted))

    def _free_uid(self) -> int | None:
        if self._uids is None:
            return None
        taken = {child_.uid for child_ in self._children}
        return next(uid for uid in self._uids if uid not in taken)

    def _let_go(self, child_: _Child) -> None:
        """Kill a child whose client is gone, or says more than its one request."""
        self._selector.unregister(child_.control.fileno())
        child_.control.close()
        _kill(child_)

    def _bury(self, child_: _Child) -> None:
        """Reap a child that ended, and tell its client how."""
        self._selector.unregister(child_.pidfd)
        os.close(child_.pidfd)
        self._children.discard(child_)
        _, status, usage = os.wait4(child_.pid, 0)
        if child_.control.fileno() < 0:
            return
        self._selector.unregister(child_.control.fileno())
        _tell(child_.control, _ending(status, usage.ru_utime + usage.ru_stime, child_.killed))
        child_.control.close()

    def _patience(self) -> float | None:
        nearest = min((child_.deadline for child_ in self._children), default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - time.monotonic())

    def _kill_the_late(self) -> None:
        now = time.monotonic()
        for child_ in self._children:
            if child_.deadline <= now:
                child_.deadline, child_.killed = float("inf"), "wall"
                _kill(child_)


def _ending(status: int, cpu_s: float, killed: str) -> Reply:
    code = os.waitstatus_to_exitcode(status)
    return Reply("ended", exit=max(code, 0), signal=max(-code, 0), cpu_s=cpu_s, killed="wall" if killed else "")


def _kill(child_: _Child) -> None:
    try:
        signal.pidfd_send_signal(child_.pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it is ending already


def _tell(control: socket.socket, reply: Reply, channel: socket.socket | None = None) -> None:
    try:
        socket.send_fds(control, [protocol.encode(reply)], [channel.fileno()] if channel else [])
    except OSError:
        pass  # the client is gone; the closed connection says the rest
