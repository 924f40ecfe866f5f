"""Browsers' sessions, read without a request of Django's: for streams, whose handshake is all that a browser sends."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from foretell.tenants.cookies import read_below_prefix
from foretell.tenants.sessions import SessionStore


def session_key(cookies: str, *, is_below_prefix: bool) -> str | None:
    """Return the session that a Cookie header names, by the rules of the address it came to."""
    found = read_below_prefix(cookies) if is_below_prefix else parse_cookie(cookies)
    return found.get(settings.SESSION_COOKIE_NAME) or None


def user_of_session(key: str) -> Any:
    """Return who is signed in, in the tenant at hand; Django's own check of the session against the password is made."""
    request = HttpRequest()
    request.session = SessionStore(key)
    return get_user(request)
