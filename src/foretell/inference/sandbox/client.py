"""The trusted side: ask the sandbox's parent for a locked child and talk with it."""

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from foretell.inference.errors import (
    JobCrashed,
    JobOutOfMemory,
    JobTimedOut,
    SandboxError,
    SandboxIncomplete,
    SandboxUnavailable,
)
from foretell.inference.sandbox import frames, protocol
from foretell.inference.sandbox.failures import ending_error, revive
from foretell.inference.sandbox.limits import Limits
from foretell.inference.sandbox.peers import peer_pid
from foretell.inference.sandbox.protocol import Reply, Request

_CONNECT_S = 5.0
_GRACE_S = 2.0  # the parent kills what is late; this is for the word about it to arrive


class Sandbox:
    """A client of the sandbox behind `socket_path`. Safe to use from several threads; each job has its own child.

    Payloads and results are dicts of None, bool, int, float, str, bytes, list and dict. A result comes from a process
    that whoever wrote the artifact may own: check every value of it.
    """

    def __init__(self, socket_path: Path | str) -> None:
        self._socket_path = Path(socket_path)

    def run(self, job: str, payload: dict[str, Any], *, limits: Limits | None = None) -> dict[str, Any]:
        """Run a one-shot job in a fresh locked child.

        Raises
        ------
        SandboxUnavailable, SandboxIncomplete
            no child, or not with every lock: the payload was not sent.
        JobTimedOut, JobOutOfMemory, JobCrashed
            the child did not come to its end.
        InferenceError
            what the job itself raised, by its class in `foretell.inference.errors`.
        """
        limits = limits or Limits()
        with contextlib.closing(self._start(job, "run", limits)) as channel:
            return channel.call(payload, timeout_s=limits.wall_s + _GRACE_S)

    def open(self, server: str, payload: dict[str, Any], *, limits: Limits | None = None) -> "Channel":
        """Start a long-lived server in a fresh locked child, and wait until it has opened with `payload`."""
        limits = limits or Limits()
        channel = self._start(server, "open", limits)
        try:
            channel.call(payload, timeout_s=limits.wall_s)
        except BaseException:
            channel.close()
            raise
        return channel

    def parent_pid(self) -> int:
        """Return the process that listens; raise SandboxUnavailable where none does."""
        with contextlib.closing(self._connect()) as control:
            return peer_pid(control)

    def wait_until_ready(self, timeout_s: float = 30.0) -> None:
        """Wait for the parent to accept connections: it does when everything is imported."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self.parent_pid()
            except SandboxUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _start(self, job: str, kind: Literal["run", "open"], limits: Limits) -> "Channel":
        control = self._connect()
        try:
            control.send(protocol.encode(Request(job, kind, limits)))
            data, descriptors, _, _ = socket.recv_fds(control, protocol.MAX_DATAGRAM_BYTES, 1)
            channel = _accepted(data, descriptors)
        except (OSError, msgspec.DecodeError) as err:
            control.close()
            raise SandboxUnavailable(f"The sandbox at {self._socket_path} does not answer ({err}).") from err
        except SandboxError:
            control.close()
            raise
        return Channel(control, channel, limits)

    def _connect(self) -> socket.socket:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(_CONNECT_S)
        try:
            control.connect(str(self._socket_path))
        except OSError as err:
            control.close()
            raise SandboxUnavailable(
                f"No sandbox answers at {self._socket_path} ({err.strerror or err}). Start it with `foretell sandbox` or `foretell up`."
            ) from err
        return control


class Channel:
    """A conversation with one locked child. Closing it kills the child. Calls from several threads take turns."""

    def __init__(self, control: socket.socket, data: socket.socket, limits: Limits) -> None:
        control.setblocking(False)  # it speaks once, at the end
        self._control = control
        self._data = data
        self._limits = limits
        self._lock = threading.Lock()
        self._calls = 0
        self._is_closed = False
        self._is_locked_down = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def is_alive(self) -> bool:
        """Whether the child is there: neither closed, nor ended."""
        if self._is_closed:
            return False
        try:
            self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False  # the parent spoke: the child has ended, or the parent itself has

    def call(self, payload: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send `payload`, wait for the answer. After any SandboxError the channel is closed."""
        with self._lock:
            if self._is_closed:
                raise JobCrashed("The job's process is closed; open another.")
            try:
                return self._exchange(payload, time.monotonic() + timeout_s)
            except TimeoutError:
                self.close()
                raise JobTimedOut(f"No answer within {timeout_s:g} s.", limit_s=timeout_s, clock="wall") from None
            except frames.BrokenFrame as err:
                self.close()
                raise JobCrashed(f"The job gave {err}.") from err
            except (frames.Disconnected, OSError):
                error = self._ending()
                self.close()
                raise error from None
            except SandboxError:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the child, which is killed. Safe to repeat."""
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._data.shutdown(socket.SHUT_RDWR)  # wakes a call that waits in another thread
        self._control.close()
        self._data.close()

    def _exchange(self, payload: dict[str, Any], deadline: float) -> dict[str, Any]:
        if not self._is_locked_down:
            self._check_locks(deadline)
        self._calls += 1
        frames.send(self._sender(deadline), frames.encode({"id": self._calls, "payload": payload}))
        return self._result(self._receive(deadline))

    def _check_locks(self, deadline: float) -> None:
        """Security: nothing is sent before the child has said, with nothing of an artifact in it yet, that it is locked."""
        hello = self._receive(deadline)
        if "missing" in hello:
            raise SandboxIncomplete(
                f"The sandbox cannot lock its jobs on this machine: {hello['missing']} is missing ({hello.get('reason')}). "
                "`foretell doctor` shows every layer and the way out.",
                layer=str(hello["missing"]),
            )
        self._is_locked_down = hello == {"ready": True}
        if not self._is_locked_down:
            raise JobCrashed("The job's process did not say that it is locked.")

    def _result(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("out_of_memory") is True:
            raise JobOutOfMemory(f"The job needs more memory than its {self._limits.memory_bytes >> 20:,} MiB.")
        if answer.get("id") != self._calls:
            raise JobCrashed("The job answered out of turn.")
        if "error" in answer:
            raise revive(answer["error"])
        result = answer.get("ok")
        if not isinstance(result, dict) or not all(isinstance(key, str) for key in result):
            raise JobCrashed("The job gave an answer that is not a map of named values.")
        return result

    def _receive(self, deadline: float) -> dict[str, Any]:
        def raw(view: memoryview) -> int:
            self._data.settimeout(_remaining(deadline))
            return self._data.recv_into(view)

        return frames.receive(raw, max_bytes=self._limits.result_bytes)

    def _sender(self, deadline: float) -> frames.Send:
        def raw(view: memoryview) -> int:
            self._data.settimeout(_remaining(deadline))
            return self._data.send(view)

        return raw

    def _ending(self) -> SandboxError:
        """Ask the parent how the child ended."""
        ending: Reply | None = None
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._control.settimeout(_GRACE_S)
            ending = protocol.decode_reply(self._control.recv(protocol.MAX_DATAGRAM_BYTES))
        return ending_error(ending, self._limits)


def _accepted(data: bytes, descriptors: list[int]) -> socket.socket:
    reply = protocol.decode_reply(data)
    if reply.kind != "started" or len(descriptors) != 1:
        for descriptor in descriptors:
            os.close(descriptor)
        raise SandboxUnavailable(f"The sandbox refuses the job: {reply.reason}.")
    return socket.socket(fileno=descriptors[0])


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
