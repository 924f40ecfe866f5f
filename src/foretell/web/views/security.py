"""/settings/security/: second factors, on allauth's views; and the step of a sign-in that asks for one."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from foretell.accounts.identity_providers.joining import disconnect
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.identity_providers.services import get_provider
from foretell.accounts.permissions import principal_of
from foretell.accounts.second_factor.services import codes_left
from foretell.web.settings_forms import ConfirmForm, tried
from foretell.web.views.settings.places import context_of

# allauth has no types:
# mypy: disable-error-code="misc,no-any-return,untyped-decorator"


class _InSettings:
    """What a page below /settings/ needs beside what allauth draws it with; secrets are on it, and in no cache."""

    request: HttpRequest

    @method_decorator(never_cache)
    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(*args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return context_of(self.request, **super().get_context_data(**kwargs))


class Security(_InSettings, base.IndexView):
    template_name = "web/security/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user_id = principal_of(self.request).user.pk
        joined = set(SocialAccount.objects.filter(user_id=user_id).values_list("provider", flat=True))
        rows = Authenticator.objects.filter(user_id=user_id).order_by("pk")
        return super().get_context_data(
            app=next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
            passkeys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
            codes_left=codes_left(user_id),
            identities=[(row, row.slug in joined) for row in IdentityProvider.objects.all()],
            **kwargs,
        )


class ActivateApp(_InSettings, totp.ActivateTOTPView):
    template_name = "web/security/app.html"


class DeactivateApp(_InSettings, totp.DeactivateTOTPView):
    template_name = "web/security/app_off.html"


class RecoveryCodes(_InSettings, recovery_codes.ViewRecoveryCodesView):
    template_name = "web/security/codes.html"


class NewRecoveryCodes(_InSettings, recovery_codes.GenerateRecoveryCodesView):
    template_name = "web/security/codes_new.html"


class AddPasskey(_InSettings, webauthn.AddWebAuthnView):
    template_name = "web/security/passkey.html"


class RenamePasskey(_InSettings, webauthn.EditWebAuthnView):
    template_name = "web/security/passkey_name.html"
    success_url = reverse_lazy("mfa_index")


class RemovePasskey(_InSettings, webauthn.RemoveWebAuthnView):
    template_name = "web/security/passkey_remove.html"
    success_url = reverse_lazy("mfa_index")


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class SecondStep(base.AuthenticateView):
    """The second step of a sign-in."""

    template_name = "web/security/second_step.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(), status=422)


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class AgainByCode(base.ReauthenticateView):
    template_name = "web/security/again.html"


@method_decorator(never_cache, name="dispatch")
class AgainByPasskey(webauthn.ReauthenticateWebAuthnView):
    template_name = "web/security/again.html"


@method_decorator(never_cache, name="dispatch")
class SignInByPasskey(webauthn.LoginWebAuthnView):
    """A sign-in with a passkey and nothing else: it is held by somebody whom the device knows."""

    template_name = "web/security/by_passkey.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(js_data={"request_options": auth.begin_authentication(None)}, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


@require_POST
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")
def give_up(request: HttpRequest) -> HttpResponse:
    """Leave a sign-in that was begun."""
    request._login_stage.abort()  # type: ignore[attr-defined]  # the decorator's
    return redirect("account_login")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication_required(app="allauth.mfa")
def part(request: HttpRequest, slug: str) -> HttpResponse:
    """Part one's account from an identity provider; GET asks whether that is meant."""
    provider, form = get_provider(slug), ConfirmForm(request.POST or None)
    if request.method == "POST":
        form.is_valid()
        if tried(form, lambda: _parted(request, slug)):
            return redirect("mfa_index")
    context = context_of(request, provider=provider, form=form)
    return render(request, "web/security/identity_remove.html", context, status=422 if form.errors else 200)


def _parted(request: HttpRequest, slug: str) -> bool:
    disconnect(user=principal_of(request).user, slug=slug)
    return True
