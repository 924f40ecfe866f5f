"""Asks a provider, at an address that a tenant's owner typed in.

Security: the server is let near nothing that it can reach and its tenants cannot. The address that a connection really has is looked at,
so that a name that leads elsewhere the second time gains nothing; no redirect is followed, no proxy or .netrc is used, and the answer is
small and quick. FORETELL_OIDC_PRIVATE lets providers be inside the operator's own network, and at http on this machine.
"""

import time
from collections.abc import Mapping
from ipaddress import ip_address
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_BYTES = 512 * 1024
TIMEOUT_S = 5.0
DEADLINE_S = 10.0


class Forbidden(requests.RequestException):
    """An address that is not asked."""


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_url(request.url or "")
        response = super().send(request, *args, **{**kwargs, "stream": True, "timeout": TIMEOUT_S})
        if response.is_redirect:
            raise Forbidden(
                "The provider answers with a redirect, which is not followed. Give the address that it leads to."
            )
        response._content = _read(response)
        return response


def session() -> requests.Session:
    """Return what asks; `requests.RequestException` is all that it raises."""
    made = requests.Session()
    made.trust_env = False
    adapter = GuardedAdapter()
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def check_url(url: str) -> None:
    """Raise Forbidden for an address that is not of https; at this machine http will do, where private ones are let in."""
    parts = urlsplit(url)
    is_here = settings.OIDC_PRIVATE and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise Forbidden(f"{url[:200]} is no address of https. Tokens and secrets go by no other way.")


def fetch_json(url: str, *, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Return the JSON object that is at an address.

    Raises
    ------
    requests.RequestException
    """
    with session() as asking:
        response = asking.get(url, headers=headers)
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict):
        raise Forbidden(f"{url[:200]} has no JSON object.")
    return found


def _checked(connection: socket) -> socket:
    address = ip_address(str(connection.getpeername()[0]).partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    if not settings.OIDC_PRIVATE and (not mapped.is_global or mapped.is_multicast):
        connection.close()
        raise Forbidden(
            "The provider is at a private address. FORETELL_OIDC_PRIVATE=true lets in those of one's own network."
        )
    return connection


def _read(response: requests.Response) -> bytes:
    """Return the body: no more of it than is sensible, and not for longer."""
    body, until = bytearray(), time.monotonic() + DEADLINE_S
    for part in response.raw.stream(16 * 1024, decode_content=True):
        body += part
        if len(body) > MAX_BYTES or time.monotonic() > until:
            response.close()
            raise Forbidden("The provider's answer is too long, or takes too long.")
    return bytes(body)
