"""allauth's headless views with our inputs; each does one call."""

from typing import Any

from allauth.account.internal.flows.email_verification import login_on_verification
from allauth.account.internal.flows.signup import complete_signup
from allauth.account.internal.stagekit import clear_login
from allauth.headless.account import response, views
from allauth.headless.account.inputs import LoginInput, ResetPasswordInput, VerifyEmailInput
from allauth.headless.base.response import AuthenticationResponse, ConflictResponse
from allauth.headless.base.views import AuthenticatedAPIView, ConfigView
from allauth.headless.internal.restkit import inputs
from allauth.headless.usersessions.views import SessionsView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from foretell.accounts import people
from foretell.accounts.flows import sessions
from foretell.accounts.flows.forms import NewPasswordField, ResetRequestForm, SignUpForm, charge_code
from foretell.accounts.flows.headless.strict import Strict, answered
from foretell.accounts.flows.pacing import at_whole_steps
from foretell.accounts.flows.resetting import reset_password
from foretell.accounts.permissions import principal_of
from foretell.accounts.writing import MAX_PASSWORD_CHARS

# mypy: disable-error-code="misc, no-any-return"
# allauth's classes are untyped


class SignInInput(LoginInput):
    password = inputs.CharField(max_length=MAX_PASSWORD_CHARS, strip=False)


class NewPasswordInput(ResetPasswordInput):
    password = NewPasswordField()


class SignUpInput(SignUpForm, inputs.Input):
    pass


class ResetRequestInput(ResetRequestForm, inputs.Input):
    pass


class CodeInput(VerifyEmailInput):
    def clean_key(self) -> str:
        charge_code(self.process)
        key: str = super().clean_key()
        return key


class ChangePasswordInput(inputs.Input):
    current_password = inputs.CharField(max_length=MAX_PASSWORD_CHARS, strip=False)
    new_password = NewPasswordField()


class Config(Strict, ConfigView):
    pass


class Session(Strict, views.SessionView):
    pass


class Login(Strict, views.LoginView):
    input_class = SignInInput


class SignUp(Strict, views.SignupView):
    input_class = {"POST": SignUpInput}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return ConflictResponse(request)
        return answered(request, lambda: self._signed_up(request))

    def _signed_up(self, request: HttpRequest) -> HttpResponseBase:
        with at_whole_steps():
            user, answer = self.input.try_save(request)
            answer = answer or complete_signup(request, user=user)
        return AuthenticationResponse.from_response(request, answer)


class VerifyEmail(Strict, views.VerifyEmailView):
    input_class = CodeInput
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go on with the sign-in that waits for it; 409 where the address was verified, or changed, meanwhile."""
        verified = self.process.finish()
        if verified is None:
            clear_login(request)
            return ConflictResponse(request)
        answer = login_on_verification(request, verified) if self.stage else None
        return AuthenticationResponse.from_response(request, answer)


class ResendCode(Strict, views.ResendEmailVerificationCodeView):
    handle_json_input = True


class RequestReset(Strict, views.RequestPasswordResetView):
    input_class = ResetRequestInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.input.save(request)
        return response.RequestPasswordResponse(request)


class ResetPassword(Strict, views.ResetPasswordView):
    input_class = NewPasswordInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return answered(request, lambda: self._reset(request))

    def _reset(self, request: HttpRequest) -> HttpResponseBase:
        fields = self.input.cleaned_data
        token = fields["key"].partition("-")[2]
        reset_password(user=self.input.user, token=token, password=fields["password"], now=timezone.now())
        return AuthenticationResponse(request)


class ChangePassword(Strict, AuthenticatedAPIView):
    input_class = ChangePasswordInput

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Change one's password; all other sessions end, and tokens."""
        return answered(request, lambda: self._changed(request), password="new_password")  # noqa: S106  a field's name

    def _changed(self, request: HttpRequest) -> HttpResponseBase:
        fields = self.input.cleaned_data
        user = people.change_account(
            by=principal_of(request), password=fields["new_password"], current_password=fields["current_password"]
        )
        sessions.keep(request, user)
        return AuthenticationResponse(request)


class Reauthenticate(Strict, views.ReauthenticateView):
    pass


class Sessions(Strict, SessionsView):
    pass
