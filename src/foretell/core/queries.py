"""What stands behind the `?` of a list: filters and order. What nobody knows is refused: a misspelt filter would show everything.

Beside the filters of its FilterSet, a view may have `entries`: JSON objects whose entries are filtered and ordered by their own
names, such as ``?metric.accuracy__gte=0.9&tag.team=a&ordering=-metric.accuracy``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request

from foretell.core.entries import Entries
from foretell.core.query_values import value_faults

OF_EVERY_LIST = ("format", "page_size", "cursor")
MAX_SEARCH_CHARS = 200
MAX_TERMS = 8

Faults = dict[str, list[str]]


class Filters(DjangoFilterBackend):  # type: ignore[misc]  # django-filter has no types
    """django-filter's backend; names all that is wrong with a query at once, its order and its search included."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        faults = {**_form_faults(filterset), **_unknown(request, filterset, view), **_ordering_faults(request, view)}
        for name, entries, key in asked_entries(request, view):
            if fault := entries.fault(key, request.query_params[name]):
                faults[name] = [fault]
        if fault := _search_fault(request):
            faults["search"] = [fault]
        if faults:
            raise ValidationError(faults)
        found = filterset.qs if filterset is not None else queryset
        for name, entries, key in asked_entries(request, view):
            found = entries.narrowed(found, key, request.query_params[name])
        return found


class Search(SearchFilter):
    """Each word must be found; where, the view says by `search_terms(queryset, terms)`."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        terms = request.query_params.get("search", "").split()
        return view.searched(queryset, terms) if terms else queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        schema = {"type": "string", "maxLength": MAX_SEARCH_CHARS}
        about = f"Each of these words has to be found; at most {MAX_TERMS}."
        return [{"name": "search", "in": "query", "required": False, "description": about, "schema": schema}]


class Ordering(OrderingFilter):
    """The view's `ordering_fields`, and entries; rows that are equal by them come in the order of their keys, on every page the same."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        asked = _asked_order(request)
        if not asked:
            return queryset
        order: list[Any] = []
        for term in asked:
            prefix, dot, key = term.lstrip("-").partition(".")
            if dot:
                queryset, by = entries_of(view)[prefix].order(queryset, key, is_descending=term.startswith("-"))
            order.append(by if dot else term)
        return queryset.order_by(*order, "pk")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        ordered = [f"{prefix}.<name>" for prefix, one in entries_of(view).items() if one.is_ordered]
        known = [*sorted(getattr(view, "ordering_fields", ())), *ordered]
        about = f"One or more of {', '.join(known)}, with commas between; with - before it, descending."
        term = "|".join(name.replace(".<name>", r"\.[^,]+") for name in known)
        schema = {"type": "string", "pattern": f"^(-?({term})(,-?({term}))*)?$"}
        shown = {"description": about, "schema": schema, "example": f"-{known[0]}" if known else ""}
        return [{"name": "ordering", "in": "query", "required": False, **shown}]


def unknown_parameters(request: Request, known: Iterable[str], *patterns: str) -> Faults:
    """Return a fault for each parameter that is neither known nor one of every list's; `patterns` are only told."""
    names = {*known}
    expected = ", ".join(sorted([*names, "page_size", *patterns]))
    return {
        name: [f"This is no filter here. Expected only {expected}."]
        for name in request.query_params
        if name not in names and name not in OF_EVERY_LIST
    }


def entries_of(view: Any) -> Mapping[str, Entries]:
    return getattr(view, "entries", {})


def asked_entries(request: Request, view: Any) -> Iterator[tuple[str, Entries, str]]:
    """Yield each parameter that asks for an entry: its name, the entries it speaks of, and what follows the dot."""
    for name in request.query_params:
        prefix, dot, key = name.partition(".")
        if dot and prefix in entries_of(view):
            yield name, entries_of(view)[prefix], key


def _asked_order(request: Request) -> Sequence[str]:
    return [term.strip() for term in request.query_params.get("ordering", "").split(",") if term.strip()]


def _ordering_faults(request: Request, view: Any) -> Faults:
    known = sorted(getattr(view, "ordering_fields", ()))
    wrong = [term for term in _asked_order(request) if not _is_order(term, known, view)]
    if not wrong:
        return {}
    expected = ", ".join([*known, *(f"{prefix}.<name>" for prefix, one in entries_of(view).items() if one.is_ordered)])
    return {
        "ordering": [
            f"There is no order by {wrong[0]!r:.80}. Expected one of {expected}; with - before it, descending."
        ]
    }


def _is_order(term: str, known: Sequence[str], view: Any) -> bool:
    bare = term.removeprefix("-")
    prefix, dot, key = bare.partition(".")
    entries = entries_of(view).get(prefix) if dot else None
    return bare in known if entries is None else entries.is_ordered and bool(key) and "\0" not in key


def _form_faults(filterset: FilterSet | None) -> Faults:
    if filterset is None:
        return {}
    if filterset.is_valid():
        return value_faults(filterset)
    return {name: [str(text) for text in texts] for name, texts in filterset.errors.items()}


def _unknown(request: Request, filterset: FilterSet | None, view: Any) -> Faults:
    by_entry = {name for name, _, _ in asked_entries(request, view)}
    known = [*("search", "ordering", "page"), *(filterset.get_filters() if filterset is not None else ())]
    faults = unknown_parameters(request, known, *(f"{prefix}.<name>" for prefix in entries_of(view)))
    return {name: fault for name, fault in faults.items() if name not in by_entry}


def _search_fault(request: Request) -> str | None:
    text = request.query_params.get("search", "")
    if "\0" in text:
        return "A search has no NUL characters."
    if len(text) > MAX_SEARCH_CHARS or len(text.split()) > MAX_TERMS:
        return f"Expected at most {MAX_TERMS} words of {MAX_SEARCH_CHARS} characters in all."
    return None
