"""What a web process grants its clients, from the environment; the rest is as `Bounds` has it."""

import resource
from ipaddress import ip_network

from django.conf import settings

from foretell import env
from foretell.env import MalformedVariable
from foretell.webserver.bounds import Bounds, Network

SPARE_FILES = 512  # for everything that is no connection: the database, artifacts, logs
LOOPBACK = ("127.0.0.0/8", "::1/128")


def server_bounds() -> Bounds:
    connections = env.integer("FORETELL_MAX_CONNECTIONS", 1_000, minimum=10, maximum=100_000)
    allow_files(2 * connections + SPARE_FILES)
    return Bounds(
        idle_s=env.integer("FORETELL_KEEP_ALIVE_S", 75, minimum=1, maximum=3_600),
        max_connections=connections,
        max_requests=connections,
        max_connections_per_client=env.integer("FORETELL_MAX_CONNECTIONS_PER_CLIENT", 100, minimum=1, maximum=100_000),
        unlimited=tuple(_network(found) for found in env.listing("FORETELL_PROXY_NETWORKS", LOOPBACK)),
        max_message_bytes=settings.MAX_PREDICT_BYTES,
    )


def allow_files(wanted: int) -> None:
    """Raise this process's limit of open files as far as it may; many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _network(found: str) -> Network:
    try:
        return ip_network(found)
    except ValueError:
        raise MalformedVariable("FORETELL_PROXY_NETWORKS", found, "an address or network, such as 10.0.0.0/8") from None
