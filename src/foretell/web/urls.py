from django.urls import path

from foretell.web.views.catalogue import catalogue
from foretell.web.views.signing_in import SignIn, SignOut
from foretell.web.views.trying import try_model

app_name = "web"

urlpatterns = [
    path("", catalogue, name="catalogue"),
    path("models/<str:name>/", try_model, name="model"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", SignOut.as_view(), name="logout"),
]
