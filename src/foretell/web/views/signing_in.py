"""Signing in and out: allauth's steps, with our form and our pages."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from allauth.account.views import LoginView
from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from foretell.accounts.flows.joining import is_open
from foretell.accounts.identity_providers.models import IdentityProvider

MAX_NAME_CHARS = 254  # the longest e-mail address; a user name is shorter


class SignInForm(AuthenticationForm):
    """Django's own form: `accounts.backends` says whose name and password these are."""

    username = UsernameField(
        label=_("User name or e-mail"),
        max_length=MAX_NAME_CHARS,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username", "spellcheck": "false"}),
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "This name and this password do not belong together. Capitals count in the password. If you signed up, and entered no code, ask "
            "for a new password."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # AuthenticationForm lets a person type as much as a user name has; an e-mail address may be longer.
        self.fields["username"].widget.attrs["maxlength"] = MAX_NAME_CHARS

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponseBase:
        """Go on with whatever is left to show: a verified address, a second factor."""
        login = Login(user=self.get_user(), redirect_url=redirect_url)
        answer: HttpResponseBase = perform_password_login(request, {"username": self.cleaned_data["username"]}, login)
        return answer


class SignIn(LoginView):  # type: ignore[misc]  # allauth's classes are untyped
    """The login page. Goes on to `next`, which never leads away from this tenant."""

    template_name = "web/login.html"
    form_class = SignInForm

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        more = {"is_open_for_sign_up": is_open(), "providers": IdentityProvider.objects.all()}
        return {**super().get_context_data(**context), **more}


@require_POST
@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, by POST only, and show the login page."""
    logout(request)
    return redirect("web:login")
