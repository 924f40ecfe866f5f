"""/settings/account/: one's own name, address and password."""

from http import HTTPStatus
from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from foretell.accounts import people
from foretell.accounts.access import requires
from foretell.accounts.flows import new_address, sessions
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.second_factor.again import ways
from foretell.accounts.sign_in_policy import is_email_verified
from foretell.web.settings_forms import ConfirmForm, DetailsForm, PasswordForm, tried
from foretell.web.views.settings.places import context_of
from foretell.web.views.signing_up import ToldInForm

FORMS: dict[str, type[forms.Form]] = {
    "details": DetailsForm,
    "password": PasswordForm,
    "verify": ConfirmForm,
    "withdraw": ConfirmForm,
}

HERE, CODE = "web:account", "account_email_verification_sent"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_SELF)
@never_cache
@sensitive_post_parameters("password", "current_password")
def account(request: HttpRequest) -> HttpResponse:
    what, sent = request.POST.get("do", ""), None
    if request.method == "POST":
        if what not in FORMS:
            raise Http404
        sent = FORMS[what](request.POST)
        if sent.is_valid() and (place := tried(sent, lambda: _done(request, what, sent.cleaned_data))):
            return redirect(place)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if sent is not None else HTTPStatus.OK
    return render(
        request, "web/settings/account.html", context_of(request, **_shown(request, what, sent)), status=status
    )


@require_safe
@requires(Action.MANAGE_SELF)
def to_account(request: HttpRequest) -> HttpResponse:
    """Lead on from where allauth thinks that these things are."""
    return redirect("web:account")


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class Reauthenticate(ToldInForm, ReauthenticateView):  # type: ignore[misc]  # allauth's classes are untyped
    """The password once more, before something that matters."""

    template_name = "web/reauthenticate.html"

    def _check_reauthentication_method_available(self, request: HttpRequest) -> HttpResponse | None:
        """Say, to whom it cannot be asked of here, that they sign in again."""
        if not request.user.is_authenticated or ways(request.user):
            answer: HttpResponse | None = super()._check_reauthentication_method_available(request)
            return answer
        mine = SocialAccount.objects.filter(user_id=request.user.pk).values("provider")
        context = {"providers": IdentityProvider.objects.filter(pk__in=mine), "next": request.GET.get("next", "")}
        return render(request, "web/again_by_provider.html", context)


@transaction.atomic
def _done(request: HttpRequest, what: str, fields: dict[str, Any]) -> str:
    """Do what was asked for, and return the page that comes next: that for the code, where one was sent."""
    by = principal_of(request)
    if what == "withdraw":
        new_address.withdraw(by=by)
        return HERE
    if what == "verify":
        return CODE if new_address.send_code(request, by.user) else HERE
    if fields.get("email") == by.user.email:
        del fields["email"]  # it was left as it is shown: what was asked for stays asked for
    changed = people.change_account(by=by, **fields)
    if what == "password":
        sessions.keep(request, changed)
    is_asked = "email" in fields and changed.pending_email
    return CODE if is_asked and new_address.send_code(request, changed) else HERE


def _shown(request: HttpRequest, what: str, sent: forms.Form | None) -> dict[str, Any]:
    user = principal_of(request).user
    return {
        "details_form": sent if what == "details" else DetailsForm(initial={"username": user.username, "email": user.email}),
        "password_form": sent if what == "password" else PasswordForm(),
        "is_verified": is_email_verified(user),
        "has_password": user.has_usable_password(),
    }  # fmt: skip
