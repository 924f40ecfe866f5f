"""The pages of account flows by the names that django-allauth knows them by; `web.urls` has ours."""

from django.urls import path

from foretell.web.views.signing_in import SignIn, sign_out

urlpatterns = [
    path("accounts/login/", SignIn.as_view(), name="account_login"),
    path("accounts/logout/", sign_out, name="account_logout"),
]
