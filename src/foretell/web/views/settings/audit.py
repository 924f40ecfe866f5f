"""/settings/audit/: who changed what, for admins."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from foretell.accounts.access import requires
from foretell.accounts.audit_log.filters import AuditFilters
from foretell.accounts.permissions import Action, may_read_audit, principal_of
from foretell.audit.models import Entry
from foretell.web.views.settings.places import context_of

ROWS_PER_PAGE = 50
ASKED = ("action", "actor", "target", "at__gte", "at__lt")


@dataclass(frozen=True, slots=True)
class Change:
    """One field, from what to what."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownEntry:
    position: int
    at: datetime
    action: str
    tone: str
    target: str
    who: str
    how: str
    request_id: str
    changes: tuple[Change, ...]
    url: str


@require_safe
@requires(Action.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    if not may_read_audit(principal_of(request)):
        raise PermissionDenied
    asked = {name: request.GET.get(name, "").strip() for name in ASKED}
    given = {name: text for name, text in asked.items() if text}
    filters = AuditFilters(given, queryset=Entry.objects.exclude(position=None).order_by("-position"))
    rows = list(_page(filters.qs, request.GET.get("before", ""))) if filters.is_valid() else []
    shown, is_more = rows[:ROWS_PER_PAGE], len(rows) > ROWS_PER_PAGE
    context = {
        "entries": [shown_entry(row) for row in shown],
        "asked": asked,
        "is_filtered": bool(given),
        "problems": _problems(filters),
        "older": f"?{urlencode({**given, 'before': shown[-1].position})}" if is_more else "",
        "newest": f"?{urlencode(given)}" if "before" in request.GET else "",
        "exports": _exports(given),
    }
    return render(
        request, "web/settings/audit.html", context_of(request, **context), status=400 if context["problems"] else 200
    )


def shown_entry(row: Any) -> ShownEntry:
    return ShownEntry(
        position=row.position, at=row.at, action=row.action, tone="bad" if row.action == "permission.denied" else "",
        target=f"{row.target_kind} {row.target_name or row.target_id}", who=row.actor_name, how=_how(row), request_id=row.request_id,
        changes=tuple(_changes(row.before or {}, row.after or {})), url=reverse("audit:entry", args=[row.pk]),
    )  # fmt: skip


def _page(rows: Any, before: str) -> Any:
    """Return a page and one row more, which tells whether there is another page."""
    is_place = before.isascii() and before.isdecimal() and len(before) <= 18
    return (rows.filter(position__lt=int(before)) if is_place else rows)[: ROWS_PER_PAGE + 1]


def _how(row: Any) -> str:
    credential = f"{row.credential} {row.credential_id}".strip()
    return ", ".join(part for part in (credential, row.face, row.address) if part)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    names = [*before, *(name for name in after if name not in before)]
    return [Change(name, _text(before, name), _text(after, name)) for name in names]


def _text(values: dict[str, Any], name: str) -> str:
    if name not in values or values[name] is None:
        return "—"
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _problems(filters: Any) -> list[str]:
    return [] if filters.is_valid() else [f"{name}: {text}" for name, texts in filters.errors.items() for text in texts]


def _exports(given: dict[str, str]) -> list[tuple[str, str]]:
    """Return the files of what is shown: all of it, and not one page."""
    names = (("CSV", "csv"), ("JSON Lines", "jsonl"), ("Excel", "xlsx"), ("Parquet", "parquet"))
    return [(name, f"{reverse('audit:entries')}?{urlencode({**given, 'format': format})}") for name, format in names]
