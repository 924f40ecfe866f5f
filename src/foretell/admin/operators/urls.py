"""Addresses beside the site's own."""

from django.urls import path

from foretell.admin.operators.views import enter_by_link, leave

app_name = "operators"

urlpatterns = [
    path("enter/<str:secret>/", enter_by_link, name="enter"),
    path("leave/", leave, name="leave"),
]
