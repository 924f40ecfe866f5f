"""Heads that came before. A client's requests differ in little but their bodies.

Optimization: a head that is the same byte for byte means the same, and is not parsed, checked and unfolded again. They are shared by
all connections of a process: behind a proxy, and where many clients take turns, the next request is seldom of the connection's last one.
A head that comes once (many carry an id of their own) is not worth its memory: it is kept when it comes for the second time.
Security: who asks is no part of a head. The address of the client is the connection's, each time.
"""

from typing import Any, Protocol

from foretell.webserver.refusals import Header

END = b"\r\n\r\n"
MAX_HEADS = 6_000  # of each of two generations: some 40 MB, if there are so many
MAX_MET = 16_384
MAX_BYTES = 2_048

Scope = dict[str, Any]


class Asking(Protocol):
    """A connection, as far as a scope speaks of it."""

    scheme: Any
    server: Any
    client: Any


class KnownHead:
    """What a head means: the scope that the application is given, and how long the body behind it is."""

    __slots__ = ("_headers", "_scope", "_state", "n_body_bytes")

    def __init__(self, scope: Scope, n_body_bytes: int) -> None:
        headers: list[Header] = list(scope["headers"])
        self._scope, self._headers, self._state = dict(scope), headers, dict(scope["state"])
        self.n_body_bytes = n_body_bytes

    def scope(self, of: Asking) -> Scope:
        """Return a scope of its own for another request, of this connection; what its extensions keep for the head is shared."""
        return {
            **self._scope, "scheme": of.scheme, "server": of.server, "client": of.client,
            "headers": list(self._headers), "state": dict(self._state),
        }  # fmt: skip


class KnownHeads:
    """The heads that one process has met again and again; those that nobody sent for long go first."""

    __slots__ = ("_heads", "_met", "_older")

    def __init__(self) -> None:
        self._heads: dict[bytes, KnownHead] = {}
        self._older: dict[bytes, KnownHead] = {}
        self._met: set[int] = set()

    def find(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Return the head and the body of one whole request; None where its head is new, or more or less than it came."""
        end = data.find(END) + len(END)
        head = data[:end]
        known = self._heads.get(head) or self._brought_back(head)
        if known is None or len(data) - end != known.n_body_bytes:
            return None
        return known, data[end:]

    def keep(self, data: bytes, scope: Scope, n_body_bytes: int) -> None:
        """Keep the head of a request that was parsed, if it was met before, and it and its body of known length are all of `data`.

        Security: where a byte more came, such as a line break behind the body, nothing says where the head ends.
        """
        end = data.find(END) + len(END)
        if end + n_body_bytes != len(data) or end > MAX_BYTES:
            return
        head = data[:end]
        if self._is_met(hash(head)):
            self._put(head, KnownHead(scope, n_body_bytes))

    def _is_met(self, mark: int) -> bool:
        """Return whether a head came before, or one that looks like it; from now on it has."""
        if mark in self._met:
            return True
        if len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(mark)
        return False

    def _brought_back(self, head: bytes) -> KnownHead | None:
        known = self._older.pop(head, None)
        if known is not None:
            self._put(head, known)
        return known

    def _put(self, head: bytes, known: KnownHead) -> None:
        if len(self._heads) >= MAX_HEADS:
            self._heads, self._older = {}, self._heads
        self._heads[head] = known
