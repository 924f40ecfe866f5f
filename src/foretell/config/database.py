"""A database URL as Django's settings want it."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

POOL_SIZE = 20  # connections of one process; each request in progress holds at most one
POOL_TIMEOUT_S = 10.0
# A database behind a network that drops every packet is noticed within these, and not when the kernel gives up after a
# quarter of an hour: until then no request that asks it ends, and the catalogue learns of no revoked key.
NOTICES_SILENCE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
}


def django_database(url: str) -> dict[str, Any]:
    """Read ``postgresql://user:password@host:port/name?option=value``; ``host`` may be a directory with a Unix socket."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "foretell.core.database_backend",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": options.pop("port", None) or str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **NOTICES_SILENCE,
            **options,
            "pool": {"min_size": 0, "max_size": POOL_SIZE, "timeout": POOL_TIMEOUT_S},
        },
    }
