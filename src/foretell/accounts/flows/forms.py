"""What is typed in, on pages and by programs alike; what is allowed, the services say."""

from typing import Any

from allauth.account.internal.flows.signup import prevent_enumeration
from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from foretell.accounts.flows.limits import take_code
from foretell.accounts.flows.signing_up import sign_up
from foretell.accounts.login_limits import client_of
from foretell.accounts.models import User
from foretell.accounts.writing import MAX_PASSWORD_CHARS
from foretell.tenants.mail_links import root_for_mail

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class NewPasswordField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        defaults = {"label": _("Password"), "help_text": _("At least twelve characters.")}
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(max_length=MAX_PASSWORD_CHARS, strip=False, widget=widget, **{**defaults, **options})


class EmailField(forms.EmailField):
    def __init__(self, **options: Any) -> None:
        widget = forms.EmailInput(attrs={**PLAIN, "autocomplete": "email"})
        super().__init__(max_length=254, widget=widget, **{"label": _("E-mail address"), **options})


class SignUpForm(forms.Form):
    """A new account; allauth asks it for `try_save`."""

    by_passkey = False

    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={**PLAIN, "autocomplete": "username"})
    )
    email = EmailField(help_text=_("A code is sent there."))
    password = NewPasswordField()

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponseBase | None]:
        """Make the account; for an address that is somebody's, go on in the same way without one.

        Raises
        ------
        SignUpClosed, Throttled, InvalidAccount, AccountExists
        """
        user = sign_up(**self.cleaned_data, client=client_of(request))
        if user is not None:
            return user, None
        return None, prevent_enumeration(request, email=self.cleaned_data["email"])


class ResetRequestForm(forms.Form):
    email = EmailField()

    def save(self, request: HttpRequest, **_: Any) -> str:
        """Ask for a mail.

        Raises
        ------
        Throttled
        """
        from foretell.accounts.flows.resetting import request_reset

        email: str = self.cleaned_data["email"]
        request_reset(email=email, base=root_for_mail(request), client=client_of(request))
        return email


def charge_code(process: Any) -> None:
    """Charge a code before it is compared.

    Raises
    ------
    Throttled
    """
    if process is not None:
        take_code(email=process.email)
