"""Keys of Django's caches: with the tenant's schema in each, and none at all outside a tenant.

Security: what one tenant put into a cache another must not find there. `core.checks` refuses a cache without this.
"""

from typing import Any

from foretell.core.tenancy import NoTenant, active

SEPARATOR = ":"


def make_key(key: Any, key_prefix: str, version: int) -> str:
    """Return what a key is kept as.

    Raises
    ------
    NoTenant
        where nobody said whose it is; what is the installation's own is cached in `use_public()`.
    """
    tenant = active()
    if tenant is None:
        raise NoTenant("Nor is there anybody whose cache this would be.")
    return SEPARATOR.join((str(tenant.schema_name), key_prefix, str(version), str(key)))


def reverse_key(key: str) -> str:
    """Return the key that somebody asked for."""
    return key.split(SEPARATOR, 3)[3]
