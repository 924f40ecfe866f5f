"""Heads that this connection has sent before. A client's requests differ in little but their bodies.

Optimization: a head that is the same byte for byte means the same, and is not parsed, checked and unfolded again. Several are kept,
since the length of the body is part of the head.
Security: they stay with their connection, as the credentials in them do; another connection never meets them.
"""

from typing import Any

from foretell.webserver.refusals import Header

END = b"\r\n\r\n"
MAX_HEADS = 8
MAX_BYTES = 2_048

Scope = dict[str, Any]


class KnownHead:
    """What a head means: the scope that the application is given, and how long the body behind it is."""

    __slots__ = ("_headers", "_scope", "_state", "n_body_bytes")

    def __init__(self, scope: Scope, n_body_bytes: int) -> None:
        headers: list[Header] = list(scope["headers"])
        self._scope, self._headers, self._state = dict(scope), headers, dict(scope["state"])
        self.n_body_bytes = n_body_bytes

    def scope(self) -> Scope:
        """Return a scope of its own for another request; what its extensions keep for the head is shared."""
        return {**self._scope, "headers": list(self._headers), "state": dict(self._state)}


class KnownHeads:
    """The last few heads of one connection."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: dict[bytes, KnownHead] = {}

    def find(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """Return the head and the body of one whole request; None where its head is new, or more or less than it came."""
        if not self._heads:
            return None
        end = data.find(END) + len(END)
        known = self._heads.get(data[:end])
        if known is None or len(data) - end != known.n_body_bytes:
            return None
        return known, data[end:]

    def keep(self, data: bytes, scope: Scope, n_body_bytes: int) -> None:
        """Keep the head of a request that was parsed, if it and its body of known length are all of `data`.

        Security: where a byte more came, such as a line break behind the body, nothing says where the head ends.
        """
        end = data.find(END) + len(END)
        if end + n_body_bytes != len(data) or end > MAX_BYTES:
            return
        if len(self._heads) >= MAX_HEADS:
            self._heads.clear()
        self._heads[data[:end]] = KnownHead(scope, n_body_bytes)
