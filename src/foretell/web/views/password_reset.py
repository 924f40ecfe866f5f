"""A new password for who does not know it, or has none: ask for a link, follow it."""

from typing import Any

from allauth.account.views import (
    PasswordResetDoneView,
    PasswordResetFromKeyDoneView,
    PasswordResetFromKeyView,
    PasswordResetView,
)
from django import forms
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from foretell.accounts.flows.forms import NewPasswordField, ResetRequestForm
from foretell.accounts.flows.resetting import reset_password
from foretell.web.settings_forms import tried
from foretell.web.views.signing_up import ToldInForm

# mypy: disable-error-code="misc"
# allauth's classes are untyped


@method_decorator(never_cache, name="dispatch")
class AskForReset(ToldInForm, PasswordResetView):
    template_name = "web/reset.html"
    form_class = ResetRequestForm

    def form_valid(self, form: Any) -> HttpResponseBase:
        """Answer alike, whoever's address it is."""
        form.save(self.request)
        return HttpResponseRedirect(self.get_success_url())


class ResetAsked(PasswordResetDoneView):
    template_name = "web/reset_asked.html"


class NewPasswordForm(forms.Form):
    password = NewPasswordField()

    def __init__(self, *args: Any, user: Any = None, temp_key: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.token = user, temp_key

    def save(self) -> bool:
        reset_password(user=self.user, token=self.token, password=self.cleaned_data["password"], now=timezone.now())
        return True


@method_decorator(never_cache, name="dispatch")
class Reset(ToldInForm, PasswordResetFromKeyView):
    """Where the link leads. Security: what it carries goes into the session at once, and out of the address."""

    template_name = "web/reset_by_link.html"
    form_class = NewPasswordForm

    def form_valid(self, form: Any) -> HttpResponseBase:
        if tried(form, form.save) is None:
            return self.form_invalid(form)
        return HttpResponseRedirect(self.get_success_url())

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        if context.get("token_fail"):
            options["status"] = 404
        answer: HttpResponse = super().render_to_response(context, **options)
        return answer


class ResetDone(PasswordResetFromKeyDoneView):
    template_name = "web/reset_done.html"
