"""OpenAPI of this tenant, its models included by their real field names; and Swagger, from our own files."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from foretell.accounts.permissions import Action


class SchemaView(SpectacularAPIView):
    required_actions = {"GET": Action.READ}
    schema = None


class DocsView(SpectacularSwaggerSplitView):
    """The page's script is a file of its own, as the content security policy wants."""

    required_actions = {"GET": Action.READ}
    url_name = "registry:schema"
    schema = None
