"""The listening socket is the supervisor's: web processes come and go behind it, and no connection is refused meanwhile."""

import errno
import socket

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
