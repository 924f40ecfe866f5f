"""Second factors over allauth's headless API: its own views, held to strict bodies as the rest of that API is."""

from typing import Any

from allauth.headless.constants import Client
from allauth.headless.mfa import views
from django.urls import URLPattern, path

from foretell.accounts.flows.headless.strict import Strict

# allauth's classes are untyped:
# mypy: disable-error-code="misc,no-any-return"


class Authenticate(Strict, views.AuthenticateView):
    """The second step of a sign-in, by a code."""


class AuthenticateByPasskey(Strict, views.AuthenticateWebAuthnView):
    """The second step, by a passkey."""


class SignInByPasskey(Strict, views.LoginWebAuthnView):
    """A sign-in with a passkey and nothing else."""


class Reauthenticate(Strict, views.ReauthenticateView):
    """Once more who one is, by a code."""


class ReauthenticateByPasskey(Strict, views.ReauthenticateWebAuthnView):
    """Once more who one is, by a passkey."""


class Authenticators(Strict, views.AuthenticatorsView):
    """What one has."""


class App(Strict, views.ManageTOTPView):
    """The authenticator app."""


class RecoveryCodes(Strict, views.ManageRecoveryCodesView):
    """Recovery codes, shown once."""


class Passkeys(Strict, views.ManageWebAuthnView):
    """Passkeys."""


def _route(address: str, view: Any, name: str) -> URLPattern:
    return path(f"api/v1/{address}", view.as_api_view(client=Client.BROWSER), name=name)


routes = [
    _route("auth/2fa/authenticate", Authenticate, "mfa-authenticate"),
    _route("auth/2fa/reauthenticate", Reauthenticate, "mfa-reauthenticate"),
    _route("auth/webauthn/authenticate", AuthenticateByPasskey, "passkey-authenticate"),
    _route("auth/webauthn/reauthenticate", ReauthenticateByPasskey, "passkey-reauthenticate"),
    _route("auth/webauthn/login", SignInByPasskey, "passkey-login"),
    _route("account/authenticators", Authenticators, "authenticators"),
    _route("account/authenticators/totp", App, "totp"),
    _route("account/authenticators/recovery-codes", RecoveryCodes, "recovery-codes"),
    _route("account/authenticators/webauthn", Passkeys, "passkeys"),
]
