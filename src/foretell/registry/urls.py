from django.urls import URLPattern, path
from django.urls.converters import get_converters, register_converter

from foretell.registry.views.aliases import AliasesView, AliasView, RollbackView
from foretell.registry.views.docs import DocsView, SchemaView
from foretell.registry.views.models import ModelsView, ModelView
from foretell.registry.views.predict import PredictView
from foretell.registry.views.versions import ArtifactView, VersionsView, VersionView

app_name = "registry"


class NameConverter:
    """A model's or an alias's place in an address: one segment, up to an `@`; whether it is a name is decided behind it."""

    regex = "[^/@]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


if "name" not in get_converters():
    register_converter(NameConverter, "name")


def predict_paths(route: str, name: str) -> list[URLPattern]:
    """Predictions are POSTed with and without the last slash: neither is redirected."""
    return [
        path(f"{route}/", PredictView.as_view(), name=name),
        path(route, PredictView.as_view(), name=f"{name}-slashless"),
    ]


urlpatterns = [
    path("api/v1/models/", ModelsView.as_view(), name="models"),
    path("api/v1/models/<name:name>/", ModelView.as_view(), name="model"),
    path("api/v1/models/<name:name>/versions/", VersionsView.as_view(), name="versions"),
    path("api/v1/models/<name:name>/versions/<int:number>/", VersionView.as_view(), name="version"),
    path("api/v1/models/<name:name>/versions/<int:number>/artifact/", ArtifactView.as_view(), name="artifact"),
    path("api/v1/models/<name:name>/aliases/", AliasesView.as_view(), name="aliases"),
    path("api/v1/models/<name:name>/aliases/<name:alias>/", AliasView.as_view(), name="alias"),
    path("api/v1/models/<name:name>/aliases/<name:alias>/rollback/", RollbackView.as_view(), name="rollback"),
    *predict_paths("api/v1/models/<name:name>/predict", "predict"),
    *predict_paths("api/v1/models/<name:name>@<name:alias>/predict", "predict-alias"),
    *predict_paths("api/v1/models/<name:name>/versions/<int:number>/predict", "predict-version"),
    path("api/v1/schema/", SchemaView.as_view(), name="schema"),
    path("api/v1/docs/", DocsView.as_view(), name="docs"),
]
