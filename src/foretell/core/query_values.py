"""Values behind the `?` that django-filter lets through, and should not: they would be ignored, or break in the database."""

from datetime import UTC, datetime
from typing import Any

from django_filters.rest_framework import BooleanFilter, Filter, FilterSet, IsoDateTimeFilter

from foretell.core.etags import is_html

BOOLEANS = ("true", "false", "1", "0")


def value_faults(filterset: FilterSet) -> dict[str, list[str]]:
    """Say what is wrong with the values of a query whose form is valid."""
    texts = {name: filterset.data[name] for name in filterset.get_filters() if name in filterset.data}
    if is_html(filterset.request):  # the form on the browsable page sends all its fields, empty ones too
        texts = {name: text for name, text in texts.items() if text}
    return {
        name: [fault]
        for name, text in texts.items()
        if (fault := _fault(filterset.get_filters()[name], text, filterset.form.cleaned_data.get(name)))
    } | _brought_to_utc(filterset.form.cleaned_data)


def _fault(one: Filter, text: str, value: Any) -> str | None:
    """Say what is wrong with a text that the form takes for nothing, and then shows everything."""
    if isinstance(one, BooleanFilter) and text.lower() not in BOOLEANS:
        return f"Found {text!r:.40}, expected true or false."
    if isinstance(one, IsoDateTimeFilter) and value is None:
        return f"Found {text!r:.40}, expected a time such as 2026-05-01T12:00:00Z."
    return None


def _brought_to_utc(values: dict[str, Any]) -> dict[str, list[str]]:
    """Bring times to UTC: PostgreSQL knows no offset of 16 hours or more, and ISO 8601 does."""
    faults = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            try:
                values[name] = value.astimezone(UTC)
            except OverflowError:
                faults[name] = ["This time is out of reach. Expected one of the years 1 to 9999, in UTC."]
    return faults
