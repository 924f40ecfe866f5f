"""How many connections each client address has."""

from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from foretell.webserver.bounds import Network

SITE_BITS = 64  # whoever has one IPv6 address has at least this network


class Clients:
    """Counts connections by client; those from `unlimited` networks are not counted.

    Parameters
    ----------
    at_most
        Connections that one client may have.
    unlimited
        Networks of proxies, where many clients share an address.
    """

    def __init__(self, *, at_most: int, unlimited: tuple[Network, ...]) -> None:
        self.at_most = at_most
        self.unlimited = unlimited
        self._open: Counter[str] = Counter()

    def enter(self, host: str) -> str | None:
        """Count a connection; return what to `leave` by, or None where the client has enough. "" is counted nowhere."""
        client = self._client(host)
        if not client:
            return ""
        if self._open[client] >= self.at_most:
            return None
        self._open[client] += 1
        return client

    def leave(self, client: str) -> None:
        if not client:
            return
        self._open[client] -= 1
        if self._open[client] <= 0:
            del self._open[client]

    def _client(self, host: str) -> str:
        try:
            address = _plain(ip_address(host.partition("%")[0]))
        except ValueError:  # a Unix socket has no address: that is a proxy
            return ""
        if any(address in network for network in self.unlimited):
            return ""
        if isinstance(address, IPv6Address):
            return str(ip_network((address, SITE_BITS), strict=False))
        return str(address)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address where a socket for both shows it as ``::ffff:192.0.2.1``."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
