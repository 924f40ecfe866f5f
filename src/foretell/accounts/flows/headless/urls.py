"""Where allauth's clients find it: their base address is `/api`."""

from typing import Any

from allauth.headless.constants import Client
from django.urls import URLPattern, path

from foretell.accounts.flows.headless import views
from foretell.accounts.second_factor import headless as second_factor

app_name = "headless"


def _route(address: str, view: Any, name: str) -> URLPattern:
    return path(f"api/v1/{address}", view.as_api_view(client=Client.BROWSER), name=name)  # type: ignore[no-any-return]  # Django's own


urlpatterns = [
    _route("config", views.Config, "config"),
    _route("auth/session", views.Session, "session"),
    _route("auth/sessions", views.Sessions, "sessions"),
    _route("auth/login", views.Login, "login"),
    _route("auth/signup", views.SignUp, "signup"),
    _route("auth/email/verify", views.VerifyEmail, "verify-email"),
    _route("auth/email/verify/resend", views.ResendCode, "resend-code"),
    _route("auth/password/request", views.RequestReset, "request-reset"),
    _route("auth/password/reset", views.ResetPassword, "reset-password"),
    _route("auth/reauthenticate", views.Reauthenticate, "reauthenticate"),
    _route("account/password/change", views.ChangePassword, "change-password"),
    *second_factor.routes,
]
