"""OpenAPI of this tenant, its models included by their real field names; and Swagger, from our own files."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from foretell.accounts.access import Allowed
from foretell.accounts.permissions import Action


class SchemaView(SpectacularAPIView):
    permission_classes = [Allowed]  # Security: drf-spectacular's own default is that everybody may read
    required_actions = {"GET": Action.READ}
    schema = None


class DocsView(SpectacularSwaggerSplitView):
    """The page's script is a file of its own, as the content security policy wants."""

    permission_classes = [Allowed]
    required_actions = {"GET": Action.READ}
    url_name = "registry:schema"
    schema = None
