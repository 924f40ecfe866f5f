"""Models, versions and aliases as tables, for CSV, Excel and Parquet."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from foretell.core.exports import Column, Kind, Table, by_keys, for_tenant
from foretell.core.tenancy import current_tenant
from foretell.registry.models import Alias, ModelVersion, RegisteredModel
from foretell.registry.promotion_requests import PromotionRequest
from foretell.registry.serializers import champion_of

TIMES = (Column("created_at", Kind.TIME), Column("updated_at", Kind.TIME))
MODELS = (
    Column("name"), Column("description"), Column("task"), Column("champion", Kind.INTEGER),
    Column("latest_version", Kind.INTEGER), Column("metrics", Kind.JSON), Column("tags", Kind.JSON), Column("created_by"),
    Column("archived_at", Kind.TIME), *TIMES,
)  # fmt: skip
VERSIONS = (
    Column("model"), Column("version", Kind.INTEGER), Column("state"), Column("runtime"), Column("task"), Column("sha256"),
    Column("size_bytes", Kind.INTEGER), Column("metrics", Kind.JSON), Column("tags", Kind.JSON), Column("lineage", Kind.JSON),
    Column("description"), Column("aliases", Kind.JSON), Column("created_by"), Column("created_at", Kind.TIME),
    Column("ready_at", Kind.TIME),
)  # fmt: skip
ALIASES = (Column("model"), Column("alias"), Column("version", Kind.INTEGER), Column("updated_at", Kind.TIME))
PROMOTIONS = (
    Column("id"), Column("model"), Column("alias"), Column("version", Kind.INTEGER), Column("from_version", Kind.INTEGER),
    Column("state"), Column("requested_by"), Column("requested_at", Kind.TIME), Column("decided_by"),
    Column("decided_at", Kind.TIME), Column("comment"),
)  # fmt: skip
PART = 2_000

Rows = Iterator[Sequence[Any]]


def models_table(found: QuerySet[RegisteredModel]) -> Table:
    return Table("models", MODELS, for_tenant(current_tenant(), by_keys(found, _model_rows)))


def versions_table(name: str, found: QuerySet[ModelVersion]) -> Table:
    lean = found.defer("signature", "examples", "parity", "options", "uploads")
    return Table(f"{name}-versions", VERSIONS, for_tenant(current_tenant(), by_keys(lean, _version_rows)))


def aliases_table(name: str, found: QuerySet[Alias]) -> Table:
    return Table(f"{name}-aliases", ALIASES, for_tenant(current_tenant(), by_keys(found, _alias_rows)))


def promotions_table(found: QuerySet[PromotionRequest]) -> Table:
    return Table("promotions", PROMOTIONS, for_tenant(current_tenant(), _promotion_parts(found)))


def _promotion_parts(found: QuerySet[PromotionRequest]) -> Iterator[list[Sequence[Any]]]:
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        rows = found.order_by().in_bulk(ids[start : start + PART])
        yield [_promotion_row(rows[id]) for id in ids[start : start + PART] if id in rows]


def _promotion_row(request: PromotionRequest) -> Sequence[Any]:
    decided_by = request.decided_by.username if request.decided_by else None
    return (
        str(request.pk), request.model.name, request.alias, request.version.number, request.from_number, request.state,
        request.requested_by.username, request.created_at, decided_by, request.decided_at, request.comment,
    )  # fmt: skip


def _model_rows(models: Iterable[RegisteredModel]) -> Rows:
    for model in models:
        champion = champion_of(model)
        yield (
            model.name, model.description, champion.task if champion else None, champion.number if champion else None,
            getattr(model, "latest_version", None), champion.metrics if champion else None, model.tags, model.created_by.username,
            model.archived_at, model.created_at, model.updated_at,
        )  # fmt: skip


def _version_rows(versions: Iterable[ModelVersion]) -> Rows:
    for version in versions:
        yield (
            version.model.name, version.number, version.state, version.runtime, version.task, version.sha256, version.size_bytes,
            version.metrics, version.tags, version.lineage, version.description, [alias.name for alias in version.aliases.all()],
            version.created_by.username, version.created_at, version.ready_at,
        )  # fmt: skip


def _alias_rows(aliases: Iterable[Alias]) -> Rows:
    for alias in aliases:
        yield alias.model.name, alias.name, alias.version.number, alias.updated_at
