"""The credentials of a request (contract: Bearer key, X-API-Key, Basic, session), each tried in this order."""

import base64
import binascii
from typing import Any

from django.contrib.auth import authenticate
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from foretell import keys
from foretell.accounts.models import APIKey, User
from foretell.accounts.services import verify_key

REALM = 'realm="foretell"'
MAX_CREDENTIAL_CHARS = 4_096
NOT_KNOWN = "These credentials are not known here, or not any more."


class _KeyAuthentication(authentication.BaseAuthentication):
    """What the ways to present a key share."""

    def authenticate_header(self, request: Request) -> str:
        return f"Bearer {REALM}"

    def user_of(self, key: keys.Key | None) -> tuple[User, APIKey]:
        row = verify_key(key, now=timezone.now())
        if row is None:
            raise AuthenticationFailed(NOT_KNOWN)
        return row.user, row


class BearerAuthentication(_KeyAuthentication):
    """`Authorization: Bearer ft_…`."""

    def authenticate(self, request: Request) -> tuple[User, APIKey] | None:
        token = _credential(request, "bearer")
        return None if token is None else self.user_of(keys.parse_key(token))


class HeaderKeyAuthentication(_KeyAuthentication):
    """`X-API-Key: ft_…`."""

    def authenticate(self, request: Request) -> tuple[User, APIKey] | None:
        token = request.headers.get("X-API-Key")
        return None if token is None else self.user_of(keys.parse_key(token.strip()))


class BasicAuthentication(_KeyAuthentication):
    """`Authorization: Basic …`: name (or e-mail) and password, or a key's id and secret."""

    def authenticate_header(self, request: Request) -> str:
        return f"Basic {REALM}"

    def authenticate(self, request: Request) -> tuple[User, APIKey | None] | None:
        credential = _credential(request, "basic")
        if credential is None:
            return None
        name, password = _pair(credential)
        key = keys.parse_pair(name, password)
        if key is not None:
            return self.user_of(key)
        user = authenticate(request._request, username=name, password=password)
        if not isinstance(user, User):
            raise AuthenticationFailed(NOT_KNOWN)
        return user, None


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser that signed in; writes need the CSRF token."""


def _credential(request: Request, scheme: str) -> str | None:
    """Return what follows the scheme in the Authorization header; None where the header is of another scheme."""
    header = request.headers.get("Authorization", "")
    found, _, credential = header.partition(" ")
    if found.lower() != scheme:
        return None
    credential = credential.strip()
    if not credential or len(credential) > MAX_CREDENTIAL_CHARS:
        raise AuthenticationFailed(f"The Authorization header has no credential of the scheme {scheme.title()}.")
    return credential


def _pair(credential: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(credential, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationFailed("The Basic credential is not base64 of name:password in UTF-8.") from None
    name, colon, password = decoded.partition(":")
    if not colon:
        raise AuthenticationFailed("The Basic credential has no colon between name and password.")
    return name, password


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `ft_…`."}


class HeaderKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = HeaderKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class BasicScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = BasicAuthentication
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "User name and password, or a key's id and secret."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
