"""The listening socket is the supervisor's: web processes come and go behind it, and no connection is refused meanwhile."""

import ctypes
import errno
import socket
import struct
import sys

from foretell.errors import ForetellError

BACKLOG = 2_048


class AddressInUse(ForetellError):
    code = "address_in_use"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address and that children inherit.

    Raises
    ------
    AddressInUse
        when somebody else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as err:
        listener.close()
        is_taken = err.errno == errno.EADDRINUSE
        why = "another program listens there" if is_taken else (err.strerror or str(err))
        way_out = (
            f"Stop it, or set PORT, such as PORT={port + 1}."
            if is_taken
            else "Set HOST or PORT to what this machine has."
        )
        raise AddressInUse(f"Cannot listen at {host}:{port}: {why}. {way_out}") from err
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def turn_away(listener: socket.socket) -> None:
    """Let nobody begin to connect any more, while those who have begun are still accepted.

    Race condition: closing a listening socket resets the connections that the kernel has accepted and no process has, though
    requests may be on them. Who is turned away asks again after a second, and finds the connection refused. Linux only.
    """
    if not sys.platform.startswith("linux"):
        return
    so_attach_filter = 26
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in _DROPS_SYN))
    described = struct.pack("@HP", len(_DROPS_SYN), ctypes.addressof(program))
    listener.setsockopt(socket.SOL_SOCKET, so_attach_filter, described)


# Classic BPF, on the TCP header: (operation, jump if true, jump if false, operand).
_DROPS_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone …
    (0x06, 0, 0, 0),  # … is dropped
    (0x06, 0, 0, 0xFFFFFFFF),  # all else is taken
)
