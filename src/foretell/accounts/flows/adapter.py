"""Where allauth asks this house: who somebody is, where they may go on to, what is sent to them."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme

from foretell.accounts.login_limits import client_of
from foretell.accounts.models import User

NO_ADDRESS = "::"  # over a Unix socket a client has none


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth's classes are untyped
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Ask `accounts.backends`, by whichever name allauth took what was typed for.

        Raises
        ------
        Throttled
        """
        name = credentials.get("username") or credentials.get("email")
        user = authenticate(request, username=name, password=credentials.get("password"))
        return user if isinstance(user, User) else None

    def login(self, request: HttpRequest, user: User) -> None:
        # Race condition: a password that was hashed anew a moment ago has raised the generation, which the session is made with.
        user.refresh_from_db(fields=["token_generation"])
        super().login(request, user)

    def is_safe_url(self, url: str | None) -> bool:
        """Security: nobody is led away from this tenant: not to another host, and not out of its prefix."""
        host = {self.request.get_host()}
        return bool(url) and url_has_allowed_host_and_scheme(url, host) and str(url).startswith(get_script_prefix())

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages are pages; programs have the API."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_of(request) or NO_ADDRESS
