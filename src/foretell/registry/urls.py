from django.urls import URLPattern, path
from django.urls.converters import get_converters, register_converter

from foretell.registry.entries import METRIC, TAG, Kind
from foretell.registry.views.alias_history import AliasHistoryView
from foretell.registry.views.aliases import AliasesView, AliasView, RollbackView
from foretell.registry.views.artifacts import ArtifactView
from foretell.registry.views.cards import CardView
from foretell.registry.views.comparison import ComparisonView
from foretell.registry.views.cross_origin import OriginsView
from foretell.registry.views.docs import DocsView, SchemaView
from foretell.registry.views.entries import EntriesView, EntryView
from foretell.registry.views.grants import GrantsView, GrantView, PolicyView
from foretell.registry.views.index import IndexView
from foretell.registry.views.lineage import LineageView
from foretell.registry.views.models import ModelsView, ModelView
from foretell.registry.views.predict import PredictView
from foretell.registry.views.promotions import (
    ApproveView,
    DeclineView,
    PromotionsView,
    PromotionView,
    WithdrawView,
)
from foretell.registry.views.versions import VersionsView, VersionView

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


def entries_paths(route: str, name: str, kind: Kind) -> list[URLPattern]:
    """All entries of a kind, and each at its own address: its name may have any characters, slashes too."""
    all_of_them = EntriesView.as_view(kind=kind, operations=name.replace("-", "_"))
    one = EntryView.as_view(kind=kind, operations=name.replace("-", "_").removesuffix("s"))
    return [
        path(f"{route}/", all_of_them, name=name),
        path(f"{route}/<path:key>/", one, name=name.removesuffix("s")),
    ]


MODEL, VERSION = "api/v1/models/<name:name>", "api/v1/models/<name:name>/versions/<int:number>"
PROMOTION = f"{MODEL}/promotions/<uuid:promotion_id>"

urlpatterns = [
    path("api/v1/", IndexView.as_view(), name="index"),
    path("api/v1/models/", ModelsView.as_view(), name="models"),
    path(f"{MODEL}/", ModelView.as_view(), name="model"),
    path(f"{MODEL}/versions/", VersionsView.as_view(), name="versions"),
    path(f"{VERSION}/", VersionView.as_view(), name="version"),
    path(f"{VERSION}/artifact/", ArtifactView.as_view(), name="artifact"),
    path(f"{VERSION}/lineage/", LineageView.as_view(), name="lineage"),
    *entries_paths(f"{VERSION}/tags", "version-tags", TAG),
    *entries_paths(f"{VERSION}/metrics", "version-metrics", METRIC),
    *entries_paths(f"{MODEL}/tags", "model-tags", TAG),
    path(f"{MODEL}/card/", CardView.as_view(), name="card"),
    path(f"{MODEL}/access/", PolicyView.as_view(), name="access"),
    path(f"{MODEL}/grants/", GrantsView.as_view(), name="grants"),
    path(f"{MODEL}/grants/<uuid:user_id>/", GrantView.as_view(), name="grant"),
    path("api/v1/promotions/", PromotionsView.as_view(), name="promotions"),
    path(f"{PROMOTION}/", PromotionView.as_view(), name="promotion"),
    path(f"{PROMOTION}/approve/", ApproveView.as_view(), name="promotion-approve"),
    path(f"{PROMOTION}/decline/", DeclineView.as_view(), name="promotion-decline"),
    path(f"{PROMOTION}/withdraw/", WithdrawView.as_view(), name="promotion-withdraw"),
    path(f"{MODEL}/compare/", ComparisonView.as_view(), name="compare"),
    path(f"{MODEL}/aliases/", AliasesView.as_view(), name="aliases"),
    path(f"{MODEL}/aliases/<name:alias>/", AliasView.as_view(), name="alias"),
    path(f"{MODEL}/aliases/<name:alias>/rollback/", RollbackView.as_view(), name="rollback"),
    path(f"{MODEL}/aliases/<name:alias>/history/", AliasHistoryView.as_view(), name="alias-history"),
    *predict_paths(f"{MODEL}/predict", "predict"),
    *predict_paths(f"{MODEL}@<name:alias>/predict", "predict-alias"),
    *predict_paths(f"{VERSION}/predict", "predict-version"),
    path("api/v1/cors/", OriginsView.as_view(), name="cors"),
    path("api/v1/schema/", SchemaView.as_view(), name="schema"),
    path("api/v1/docs/", DocsView.as_view(), name="docs"),
]
