"""By the names that allauth knows them by."""

from django.urls import path

from foretell.accounts.identity_providers.views import from_provider, to_provider

urlpatterns = [
    path("accounts/oidc/<slug:slug>/login/", to_provider, name="openid_connect_login"),
    path("accounts/oidc/<slug:slug>/callback/", from_provider, name="openid_connect_callback"),
]
