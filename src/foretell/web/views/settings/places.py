"""What the pages below /settings/ share."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from foretell.accounts.access import requires
from foretell.accounts.permissions import Action, is_allowed, may_read_audit, principal_of


@require_safe
@requires(Action.MANAGE_SELF)
def settings_home(request: HttpRequest) -> HttpResponse:
    return redirect("web:keys")


def context_of(request: HttpRequest, **context: Any) -> dict[str, Any]:
    """Return what a page is drawn with, and which of the others there are for this person."""
    principal = principal_of(request)
    may = {
        "manages": is_allowed(principal, Action.MANAGE),
        "owns": is_allowed(principal, Action.OWN),
        "audits": may_read_audit(principal),
    }
    tab = request.path_info.strip("/").partition("/")[2].partition("/")[0]
    return {**may, "tab": tab, "words": request.GET.get("q", ""), **context}


def page_of(paginator: "Paginator[Any]", request: HttpRequest) -> "Page[Any]":
    return paginator.get_page(request.GET.get("page"))
