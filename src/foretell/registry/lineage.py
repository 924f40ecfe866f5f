"""What a version was made from, and what was made from it."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from django.db.models.expressions import RawSQL

from foretell.accounts.permissions import Principal, is_visible
from foretell.errors import ForetellError
from foretell.problems import Fault
from foretell.registry.models import ModelVersion, ModelVersionQuerySet

MAX_ANCESTORS = 100
MAX_CHILDREN = 200


class UnknownParent(ForetellError):
    code = "unknown_parent"
    kind = "invalid"

    def __init__(self, attr: str, detail: str) -> None:
        super().__init__(f"{attr}: {detail}")
        self.faults = [Fault(attr=attr, code=self.code, detail=detail)]


def parent_of(lineage: Mapping[str, Any], *, principal: Principal, attr: str = "lineage.parent") -> ModelVersion | None:
    """Return the version that a lineage names as its parent; None where it names none.

    Raises
    ------
    UnknownParent
        where it is not there, or not the principal's to see: both read the same.
    """
    named = lineage.get("parent")
    if named is None:
        return None
    model, number = named["model"], named["version"]
    found = (
        ModelVersion.objects.filter(model__name=model, number=number).first() if is_visible(principal, model) else None
    )
    if found is None:
        raise UnknownParent(attr, f"There is no version {number} of a model {model!r:.110}, or it is not yours.")
    return found


def check_older(parent: ModelVersion | None, version: ModelVersion) -> None:
    """Refuse a parent that was made later: so no version descends from itself."""
    if parent is not None and parent.pk >= version.pk:
        raise UnknownParent("lineage.parent", f"{version} was made before that one, so it cannot be made from it.")


def ancestors(version: ModelVersion, *, principal: Principal) -> list[ModelVersion]:
    """Return the parent, its parent, and so on; up to the first that is not the principal's to see."""
    line = RawSQL(_LINE, [version.pk, MAX_ANCESTORS])  # noqa: S611  constant, its values are parameters
    found = _shown(ModelVersion.objects.filter(pk__in=line)).order_by("-pk")  # a parent is older (`check_older`)
    return list(takewhile(lambda older: is_visible(principal, older.model.name), found))


def children(version: ModelVersion, *, principal: Principal) -> list[ModelVersion]:
    """Return what was made from a version, the oldest first, as far as the principal may see it."""
    found = _shown(ModelVersion.objects.filter(parent=version)).order_by("pk")
    if principal.models is not None:
        found = found.filter(model__name__in=principal.models)
    return [child for child in found[:MAX_CHILDREN] if is_visible(principal, child.model.name)]


# One query, whatever the generations.
_LINE = """
WITH RECURSIVE line AS (
    SELECT id, parent_id, 0 AS generation FROM registry_modelversion WHERE id = %s
    UNION ALL
    SELECT older.id, older.parent_id, generation + 1 FROM registry_modelversion older
    JOIN line ON older.id = line.parent_id WHERE generation < %s
)
SELECT id FROM line WHERE generation > 0
"""


def _shown(versions: ModelVersionQuerySet) -> ModelVersionQuerySet:
    return versions.select_related("model").only("number", "state", "lineage", "parent_id", "created_at", "model__name")
