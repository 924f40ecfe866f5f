"""Signing in and out, with the views of django.contrib.auth and our pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext_lazy as _

MAX_NAME_CHARS = 254  # the longest e-mail address; a user name is shorter


class SignInForm(AuthenticationForm):
    username = UsernameField(
        label=_("User name or e-mail"),
        max_length=MAX_NAME_CHARS,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username", "spellcheck": "false"}),
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("This name and this password do not belong together. Capitals count in the password."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # AuthenticationForm lets a person type as much as a user name has; an e-mail address may be longer.
        self.fields["username"].widget.attrs["maxlength"] = MAX_NAME_CHARS


class SignIn(LoginView):
    """The login page. Goes on to `next`, which never leads away from this tenant."""

    template_name = "web/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        # Security: LoginView holds `next` to this host; under /t/<tenant>/ it is held to the tenant's prefix as well.
        url = super().get_redirect_url()
        return url if url.startswith(get_script_prefix()) else ""

    def get_default_redirect_url(self) -> str:
        return reverse("web:catalogue")


class SignOut(LogoutView):
    """Ends the session, by POST only, and shows the login page."""

    def get_default_redirect_url(self) -> str:
        return reverse("web:login")
