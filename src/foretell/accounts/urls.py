from django.urls import path

from foretell.accounts.views import MeView

app_name = "accounts"

urlpatterns = [path("api/v1/me/", MeView.as_view(), name="me")]
