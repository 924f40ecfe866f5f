"""OpenAPI of this tenant, its models included by their real field names; and Swagger, from our own files."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.urls import reverse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAuthenticated

from foretell.accounts.access import Allowed
from foretell.accounts.permissions import Action
from foretell.core.browsable import STYLED
from foretell.core.problems import wants_problem


class SchemaView(SpectacularAPIView):
    permission_classes = [Allowed]  # Security: drf-spectacular's own default is that everybody may read
    required_actions = {"GET": Action.READ}
    schema = None


class DocsView(SpectacularSwaggerSplitView):
    """The page's script is a file of its own, as the content security policy wants."""

    permission_classes = [Allowed]
    required_actions = {"GET": Action.READ}
    url_name = "registry:schema"
    template_name = "web/swagger.html"
    http_method_names = ["get", "head"]  # a page has no words for OPTIONS
    schema = None

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response._csp_update = STYLED
        return super().finalize_response(request, response, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Any:
        """Send a browser to sign in, and back: the page has no link to it."""
        if isinstance(exc, NotAuthenticated) and not wants_problem(self.request):
            return redirect_to_login(self.request.get_full_path(), reverse("web:login"))
        return super().handle_exception(exc)
