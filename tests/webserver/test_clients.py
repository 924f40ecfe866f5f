"""Connections are counted by who has them."""

from ipaddress import ip_network

import pytest

from foretell.webserver.bounds import LOOPBACK
from foretell.webserver.clients import Clients


@pytest.fixture
def clients() -> Clients:
    return Clients(at_most=1, unlimited=(*LOOPBACK, ip_network("10.0.0.0/8")))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:db8::2"),
        ("fe80::1%eth0", "fe80::2%eth0"),
    ],
)
def test_one_client_is_recognised(clients: Clients, first: str, second: str) -> None:
    assert clients.enter(first)

    assert clients.enter(second) is None


@pytest.mark.parametrize(("first", "second"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")])
def test_two_clients_are_told_apart(clients: Clients, first: str, second: str) -> None:
    assert clients.enter(first)

    assert clients.enter(second)


@pytest.mark.parametrize(
    "proxy", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.1.2.3", "", "not an address"]
)
def test_a_proxy_has_as_many_as_it_wants(clients: Clients, proxy: str) -> None:
    assert [clients.enter(proxy) for _ in range(3)] == ["", "", ""]
    clients.leave("")


def test_who_has_left_may_come_again_and_is_not_remembered(clients: Clients) -> None:
    entry = clients.enter("192.0.2.1")
    assert entry
    clients.leave(entry)

    assert clients.enter("192.0.2.1") == entry
    clients.leave(entry)
    assert not clients._open
