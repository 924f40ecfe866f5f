"""One tag or one metric at a time: two people who set different ones do not undo each other's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from foretell.accounts.permissions import Principal
from foretell.errors import ForetellError
from foretell.problems import Fault
from foretell.registry.catalogue import change_model
from foretell.registry.describing import describe_version
from foretell.registry.fields import MAX_ENTRIES, metric_fault, name_fault, tag_fault
from foretell.registry.models import ModelVersion, RegisteredModel

Json = dict[str, Any]
Precondition = Callable[[Json], None] | None


class NoSuchEntry(ForetellError):
    code = "not_found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name!r:.120} here.")


class InvalidEntry(ForetellError):
    code = "invalid"

    def __init__(self, attr: str, detail: str) -> None:
        super().__init__(f"{attr}: {detail}")
        self.faults = [Fault(attr=attr, code="invalid", detail=detail)]


@dataclass(frozen=True, slots=True)
class Kind:
    """What the entries of one JSON object are.

    noun : in messages.
    field : of the row that has them.
    """

    noun: str
    field: str
    fault_of: Callable[[Any], str | None]


TAG = Kind("tag", "tags", tag_fault)
METRIC = Kind("metric", "metrics", metric_fault)


def entry_of(entries: Mapping[str, Any], kind: Kind, name: str) -> Any:
    if name not in entries:
        raise NoSuchEntry(kind.noun, name)
    return entries[name]


def with_entry(entries: Mapping[str, Any], kind: Kind, name: str, value: Any) -> Json:
    """Return the entries with one more, or another.

    Raises
    ------
    InvalidEntry
    """
    if (fault := name_fault(name)) is not None:
        raise InvalidEntry("name", fault)
    if (fault := kind.fault_of(value)) is not None:
        raise InvalidEntry("value", fault)
    if name not in entries and len(entries) >= MAX_ENTRIES:
        raise InvalidEntry(
            "name", f"There are {len(entries)} already; at most {MAX_ENTRIES} are kept. Delete one first."
        )
    return {**entries, name: value}


def without_entry(entries: Mapping[str, Any], kind: Kind, name: str) -> Json:
    entry_of(entries, kind, name)
    return {key: value for key, value in entries.items() if key != name}


@transaction.atomic
def change_entries(
    *,
    target: RegisteredModel | ModelVersion,
    kind: Kind,
    edit: Callable[[Json], Json],
    principal: Principal,
    now: datetime,
    precondition: Precondition = None,
) -> Json:
    """Change the entries of a model or a version by `edit`, which is given them as they are when nobody else can change them.

    Raises
    ------
    NotAllowed
        as `change_model` and `describe_version` do; whatever `edit` and `precondition` raise.
    """
    model = target if isinstance(target, RegisteredModel) else target.model
    model.lock()
    target.refresh_from_db(fields=[kind.field])
    entries: Json = getattr(target, kind.field)
    if precondition is not None:
        precondition(entries)
    changed = edit(entries)
    if isinstance(target, RegisteredModel):
        change_model(model=target, principal=principal, now=now, tags=changed)
    else:
        describe_version(version=target, principal=principal, changes={kind.field: changed})
    return changed
