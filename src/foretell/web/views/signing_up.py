"""Signing up, and the code that verifies an address: allauth's steps, with our forms and pages."""

from http import HTTPStatus
from typing import Any

from allauth.account.forms import ConfirmEmailVerificationCodeForm
from allauth.account.internal.decorators import login_not_required
from allauth.account.views import ConfirmEmailVerificationCodeView, SignupView
from django import forms
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from foretell.accounts.flows.forms import PLAIN, SignUpForm, charge_code
from foretell.accounts.flows.joining import sign_up_mode
from foretell.accounts.flows.new_address import is_anothers
from foretell.accounts.flows.pacing import at_whole_steps
from foretell.web.settings_forms import tried

# mypy: disable-error-code="misc"
# allauth's classes are untyped


class ToldInForm:
    """A form that is wrong is 422, as on all our pages."""

    def form_invalid(self, form: forms.Form) -> HttpResponseBase:
        answer: HttpResponseBase = super().form_invalid(form)
        if answer.status_code == HTTPStatus.OK:
            answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer


class SignUp(ToldInForm, SignupView):
    template_name = "web/sign_up.html"
    form_class = SignUpForm

    def closed(self) -> HttpResponseBase:
        return render(self.request, "web/sign_up_closed.html", {"mode": sign_up_mode()}, status=HTTPStatus.FORBIDDEN)

    def form_valid(self, form: forms.Form) -> HttpResponseBase:
        answer = tried(form, lambda: self._signed_up(form))
        return self.form_invalid(form) if answer is None else answer

    def _signed_up(self, form: forms.Form) -> HttpResponseBase:
        with at_whole_steps():
            answer: HttpResponseBase = super().form_valid(form)
        return answer


class CodeForm(ConfirmEmailVerificationCodeForm):
    code = forms.CharField(
        label=_("Code"), max_length=40, widget=forms.TextInput(attrs={**PLAIN, "autocomplete": "one-time-code", "autofocus": True})
    )  # fmt: skip

    def clean_code(self) -> str:
        """Say, to whom the mail reached, that somebody else was first; allauth's own check takes a sign-up for somebody as well."""
        code: str = super(ConfirmEmailVerificationCodeForm, self).clean_code()
        if is_anothers(self.email, user=self.user):
            raise forms.ValidationError(_("Somebody else has this address."), code="email_taken")
        return code


@method_decorator([never_cache, login_not_required], name="dispatch")
class VerifyEmail(ToldInForm, ConfirmEmailVerificationCodeView):
    """The code that was sent; for a sign-in that waits for it, and for a new address of one's own."""

    template_name = "web/verify_email.html"
    form_class = CodeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        if self.request.method == "POST" and self._action == "verify":
            charge_code(self._process)
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs
