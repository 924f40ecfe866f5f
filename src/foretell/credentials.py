"""What a caller shows to be known by: an API key, a token, or a name and a password. No framework, no storage.

Django's views and the fast lane read the same headers by the same rules, and refuse them in the same words.
"""

import base64
import binascii
from dataclasses import dataclass, field

from foretell import keys
from foretell.errors import ForetellError

CHALLENGE = 'Bearer realm="foretell"'
PRIVATE = "private, no-cache"  # Cache-Control of what a credential is answered
MAX_CREDENTIAL_CHARS = 4_096
NOT_KNOWN = "These credentials are not known here, or not any more."


class NotAuthenticated(ForetellError):
    """Nothing was shown."""

    code = "not_authenticated"

    def __init__(self) -> None:
        super().__init__("Authentication credentials were not provided.")


class AuthenticationFailed(ForetellError):
    """What was shown is of no known form, or of nobody who is known."""

    code = "authentication_failed"

    def __init__(self, message: str = NOT_KNOWN) -> None:
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer …` or `X-API-Key: …`: an API key, where it is one; else the text, which may be a token."""

    key: keys.Key | None
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Password:
    """`Authorization: Basic …` of a person."""

    name: str
    password: str = field(repr=False)


Credential = Bearer | Password


def read_credential(authorization: str | None, api_key: str | None) -> Credential | None:
    """Return what the two headers show, or None where they show nothing; a bearer comes before `X-API-Key`, and that before Basic.

    Raises
    ------
    AuthenticationFailed
        for a credential of a known scheme that cannot be read.
    """
    scheme, _, rest = (authorization or "").partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        return _bearer(_checked(rest, "Bearer"))
    if api_key is not None:
        return _bearer(api_key.strip())
    if scheme == "basic":
        return _basic(_checked(rest, "Basic"))
    return None


def _bearer(token: str) -> Bearer:
    return Bearer(keys.parse_key(token), token)


def _basic(credential: str) -> Credential:
    name, password = _pair(credential)
    key = keys.parse_pair(name, password)
    return Bearer(key, "") if key is not None else Password(name, password)


def _checked(rest: str, scheme: str) -> str:
    credential = rest.strip()
    if not credential or len(credential) > MAX_CREDENTIAL_CHARS:
        raise AuthenticationFailed(f"The Authorization header has no credential of the scheme {scheme}.")
    return credential


def _pair(credential: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(credential, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        raise AuthenticationFailed("The Basic credential is not base64 of name:password in UTF-8.") from None
    name, colon, password = decoded.partition(":")
    if not colon:
        raise AuthenticationFailed("The Basic credential has no colon between name and password.")
    return name, password
