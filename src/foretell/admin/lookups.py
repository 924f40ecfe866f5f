"""Which parameters of a list's address there are: those of its filters."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.filters import EmptyFieldListFilter, SimpleListFilter

OF_FIELD = ("", "__exact", "__isnull")


def allowed_lookups(filters: Iterable[Any]) -> set[str]:
    return {lookup for one in filters for lookup in _lookups_of(one)}


def _lookups_of(one: Any) -> list[str]:
    if isinstance(one, type) and issubclass(one, SimpleListFilter):
        return [str(one.parameter_name)]
    if isinstance(one, tuple):
        name, kind = one
        return [f"{name}__isempty"] if issubclass(kind, EmptyFieldListFilter) else [f"{name}{end}" for end in OF_FIELD]
    return [f"{one}{end}" for end in OF_FIELD]
