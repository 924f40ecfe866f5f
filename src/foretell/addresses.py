"""What is read of addresses, the same for every face: host names in one form, the prefix ``/t/<name>/``, and who a proxy saw."""

import re

NAME_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?"
HOST = re.compile(
    r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?))\.?(?::[0-9]{1,5})?"
)
PREFIX = re.compile(rf"/t/(?P<name>{NAME_PATTERN})(?=/|\Z)")


def normalised_host(header: str) -> str | None:
    """Return the host name of a Host header: lower case, ASCII, without port and final dot; None where it is none.

    Security: two Host headers arrive joined by a comma, which no host name has.
    """
    try:
        ascii_host = header if header.isascii() else header.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    match = HOST.fullmatch(ascii_host.lower())
    return (match["ipv6"] or match["name"]) if match else None


def split_prefix(path: str) -> tuple[str, str] | None:
    """Part ``/t/acme/models/`` into ``("acme", "/models/")``; None where the path has no such prefix."""
    match = PREFIX.match(path)
    return (match["name"], path[match.end() :]) if match else None


def trusted_address(peer: str, forwarded_for: str, *, proxies: int) -> str:
    """Return the address that the outermost of our proxies saw; that of the connection where we have none.

    Security: X-Forwarded-For is what a client likes it to be, but for its last entries, of which each of our proxies adds one.
    """
    if not proxies:
        return peer
    seen = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    return seen[-proxies] if len(seen) >= proxies else peer
