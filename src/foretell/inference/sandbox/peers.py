"""Who is at the other end of a Unix socket, according to the kernel."""

import os
import socket
import struct

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


def is_trusted(connection: socket.socket) -> bool:
    """Whether the peer is this very user or root."""
    return _credentials(connection)[1] in (os.geteuid(), 0)


def peer_pid(connection: socket.socket) -> int:
    return _credentials(connection)[0]


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return pid, uid, gid
