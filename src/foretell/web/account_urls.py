"""The pages of account flows by the names that django-allauth knows them by; `web.urls` has ours."""

from django.urls import path, re_path

from foretell.web.views.password_reset import AskForReset, Reset, ResetAsked, ResetDone
from foretell.web.views.settings.account import Reauthenticate, to_account
from foretell.web.views.signing_in import SignIn, sign_out
from foretell.web.views.signing_up import SignUp, VerifyEmail

KEY = r"(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)"

urlpatterns = [
    path("accounts/login/", SignIn.as_view(), name="account_login"),
    path("accounts/logout/", sign_out, name="account_logout"),
    path("accounts/signup/", SignUp.as_view(), name="account_signup"),
    path("accounts/confirm-email/", VerifyEmail.as_view(), name="account_email_verification_sent"),
    path("accounts/password/reset/", AskForReset.as_view(), name="account_reset_password"),
    path("accounts/password/reset/done/", ResetAsked.as_view(), name="account_reset_password_done"),
    path("accounts/password/reset/key/done/", ResetDone.as_view(), name="account_reset_password_from_key_done"),
    re_path(rf"^accounts/password/reset/key/{KEY}/$", Reset.as_view(), name="account_reset_password_from_key"),
    path("accounts/reauthenticate/", Reauthenticate.as_view(), name="account_reauthenticate"),
    path("accounts/email/", to_account, name="account_email"),
    path("accounts/password/change/", to_account, name="account_change_password"),
]
