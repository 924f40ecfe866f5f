"""All addresses of the operators' host. Nothing of a tenant's is among them: no page, no login, no API."""

from django.urls import include, path

from foretell.admin.operators.site import operator_site
from foretell.config.readiness import ADVISORY, REQUIRED

urlpatterns = [
    path("admin/", include("foretell.admin.operators.urls")),
    path("admin/", operator_site(checks={**REQUIRED, **ADVISORY}).urls),
]

handler400 = "foretell.config.errors.bad_request"
handler403 = "foretell.config.errors.forbidden"
handler404 = "foretell.config.errors.not_found"
handler500 = "foretell.config.errors.server_error"
