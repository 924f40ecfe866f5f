"""How long a client may take, and how much it may have: one value for each way to hold a server up."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one web process grants.

    Parameters
    ----------
    head_s
        From the connection, or from the first byte of a later request, to the end of its head.
    body_gap_s
        Longest wait for the next bytes of a body.
    body_s
        The whole body; a large one has a second more for each `body_bytes_per_s` that came.
    idle_s
        Between two requests. Longer than what the proxy in front keeps its connections for, so that the proxy closes first.
    write_gap_s
        Longest wait for a client to take the next bytes of its answer.
    linger_s
        How long a connection that was refused is read to its end, so that the client sees the answer rather than a reset.
    sweep_s
        How often the deadlines are looked at, all connections at once.
    max_head_bytes, max_headers
        Request line and headers; and trailers, which are dropped.
    max_pipelined
        Requests that a connection may send before it has its first answer.
    max_discarded_bytes
        How much of a body that nobody wants any more is read so that the connection can be kept.
    max_connections, max_connections_per_client
        In this process; a client is an IPv4 address or an IPv6 /64.
    unlimited
        Networks that are many clients behind one address: proxies, and this machine.
    max_requests
        Requests under way, including those whose client has left.
    max_message_bytes, max_fragments
        One message over a WebSocket, and into how many frames it may be cut.
    accept_s
        After SIGTERM: how long connections that the kernel has accepted are still taken.
    farewell_s
        After SIGTERM: how long an idle connection has for one last request, which is answered with ``Connection: close``.
    handover_s
        The same where another process takes over, and nobody waits for the end: the longer, the fewer clients ask just then.
    finish_s
        After SIGTERM: how long all that is under way has to finish.
    haste_s
        The same, after a second SIGTERM.
    """

    head_s: float = 5.0
    body_gap_s: float = 10.0
    body_s: float = 60.0
    body_bytes_per_s: int = 16_384
    idle_s: float = 75.0
    write_gap_s: float = 30.0
    linger_s: float = 1.0
    sweep_s: float = 1.0
    max_head_bytes: int = 32_768
    max_headers: int = 100
    max_pipelined: int = 16
    max_discarded_bytes: int = 1_048_576
    max_connections: int = 1_000
    max_connections_per_client: int = 100
    unlimited: tuple[Network, ...] = LOOPBACK
    max_requests: int = 1_000
    max_message_bytes: int = 1_048_576
    max_fragments: int = 1_024
    accept_s: float = 0.25
    farewell_s: float = 3.0
    handover_s: float = 10.0
    finish_s: float = 20.0
    haste_s: float = 1.0
