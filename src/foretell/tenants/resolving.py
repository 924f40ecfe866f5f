"""From an address to a tenant: by exact host name, or by the prefix ``/t/<name>/``. One way for every face."""

import re

from django.conf import settings

from foretell.core.tenancy import use_public
from foretell.tenants.models import NAME_PATTERN, Tenant

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


def tenant_of_host(header: str) -> Tenant | None:
    """Find the tenant by its domain; one at ``<name>.<base domain>`` also after the base domain was changed."""
    host = normalised_host(header)
    if host is None:
        return None
    with use_public():
        found = Tenant.objects.filter(domains__domain=host).first()
    name = host.removesuffix(f".{settings.BASE_DOMAIN}")
    return found or (tenant_named(name) if name != host else None)


def tenant_named(name: str) -> Tenant | None:
    with use_public():
        return Tenant.objects.filter(name=name).first()


def split_prefix(path: str) -> tuple[str, str] | None:
    """Part ``/t/acme/models/`` into ``("acme", "/models/")``; None where the path has no such prefix."""
    match = PREFIX.match(path)
    return (match["name"], path[match.end() :]) if match else None
