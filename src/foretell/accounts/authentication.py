"""The credentials of a request, for DRF's views; what the headers mean is read in `foretell.credentials`, as on the fast lane."""

from typing import Any

from django.contrib.auth import authenticate
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from foretell import credentials
from foretell.accounts.models import APIKey, User
from foretell.accounts.services import verify_key
from foretell.accounts.sign_in_policy import require_password_is_enough
from foretell.accounts.tokens.checking import verify_access
from foretell.accounts.tokens.claims import AccessToken
from foretell.credentials import CHALLENGE, NOT_KNOWN, Credential, Password, read_credential


class CredentialAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer` or `Basic`, or `X-API-Key`: an API key, an access token, or a name and a password."""

    shows_credentials = True  # a person without a key showed a password: accounts.acting

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    def authenticate(self, request: Request) -> tuple[User, APIKey | AccessToken | None] | None:
        shown = self._shown(request)
        if shown is None:
            return None
        if isinstance(shown, Password):
            return self._person(request, shown), None
        now = timezone.now()
        if shown.key is None and (found := verify_access(shown.token, now=now)) is not None:
            claims, user = found
            return user, claims
        row = verify_key(shown.key, now=now)
        if row is None:
            raise AuthenticationFailed(NOT_KNOWN)
        return row.user, row

    def _shown(self, request: Request) -> Credential | None:
        try:
            return read_credential(request.headers.get("Authorization"), request.headers.get("X-API-Key"))
        except credentials.AuthenticationFailed as err:  # DRF adds the challenge to its own error only
            raise AuthenticationFailed(err.message) from err

    def _person(self, request: Request, shown: Password) -> User:
        user = authenticate(request._request, username=shown.name, password=shown.password)
        if not isinstance(user, User):
            raise AuthenticationFailed(NOT_KNOWN)
        require_password_is_enough(user)
        return user


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser that signed in; writes need the CSRF token."""


BEARER = "An access token (a JWT, from /api/token/), or an API key: `ft_…`."


class CredentialScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = CredentialAuthentication
    name = ["bearer", "apiKey", "basic"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Any one of them is enough; without this, all would be asked for at once."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": BEARER},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            {"type": "http", "scheme": "basic", "description": "User name and password, or a key's id and secret."},
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers it, untyped
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
