"""Cookies below ``/t/<tenant>/``: tenants share a host there, and each keeps to its own path.

Served over https, cookies are named ``__Host-…``, which browsers take for the path ``/`` only, so that no neighbouring
subdomain can plant one. Below a prefix the same cookie goes by ``__Secure-…``, and the host's own ``__Host-…`` is another tenant's.
"""

from django.http.cookie import parse_cookie
from django.http.response import HttpResponseBase

AT_HOST, BELOW_PREFIX = "__Host-", "__Secure-"


def read_below_prefix(header: str) -> dict[str, str]:
    """Read cookies so that the first of a name counts: browsers send that of the longest path first, and it is this tenant's."""
    found = parse_cookie("; ".join(reversed(header.split(";"))))
    return {
        name.replace(BELOW_PREFIX, AT_HOST, 1) if name.startswith(BELOW_PREFIX) else name: value
        for name, value in found.items()
        if not name.startswith(AT_HOST)
    }


def move_below_prefix(response: HttpResponseBase, prefix: str) -> None:
    cookies = response.cookies
    for name, cookie in list(cookies.items()):
        if cookie["path"] == "/":
            cookie["path"] = f"{prefix}/"
        if name.startswith(AT_HOST):
            del cookies[name]
            moved = name.replace(AT_HOST, BELOW_PREFIX, 1)
            cookie.set(moved, cookie.value, cookie.coded_value)
            dict.__setitem__(cookies, moved, cookie)
