"""The socket is the supervisor's, and closes without resetting anybody."""

import socket
import sys

import pytest

from foretell.embedded.listening import AddressInUse, listen, turn_away

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a socket filter is Linux's")


def test_an_address_that_is_taken_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(AddressInUse, match=r"another program listens there.*PORT="):
        listen("127.0.0.1", taken.getsockname()[1])


@linux
def test_whoever_has_begun_to_connect_is_still_accepted_and_nobody_else() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as early:
        early.sendall(b"hello")

        turn_away(listener)

        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"


@linux
def test_once_it_is_closed_they_are_refused() -> None:
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    turn_away(listener)
    listener.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=0.2)
