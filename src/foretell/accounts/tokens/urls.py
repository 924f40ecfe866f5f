from django.urls import path

from foretell.accounts.tokens.views import RefreshView, RevokeView, TokenView, VerifyView, jwks_document

app_name = "tokens"

urlpatterns = [
    path("api/token/", TokenView.as_view(), name="token"),
    path("api/token/refresh/", RefreshView.as_view(), name="refresh"),
    path("api/token/verify/", VerifyView.as_view(), name="verify"),
    path("api/token/revoke/", RevokeView.as_view(), name="revoke"),
    path(".well-known/jwks.json", jwks_document, name="jwks"),
]
