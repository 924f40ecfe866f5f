"""What a person sees when there is no page: why, and a way on. Never a stack trace."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from foretell.core.request_ids import request_id


def error_page(request: HttpRequest, *, status: int, title: str, detail: str, request_id: str = "") -> HttpResponse:
    context = {"status": status, "title": title, "detail": detail, "request_id": request_id}
    # At the operators' host there are other addresses, and none of a tenant's to link to.
    template = "foretell_admin/error.html" if hasattr(request, "urlconf") else "web/error.html"
    return HttpResponse(render_to_string(template, context, request), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request,
        status=400,
        title=_("That did not arrive well"),
        detail=_("The request cannot be read. Go back, reload the page and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request,
        status=403,
        title=_("Not allowed"),
        detail=_("Your role does not include this. An owner or an admin of your team can change that."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(
        request,
        status=403,
        title=_("This page has grown old"),
        detail=_(
            "The form was opened in another session, or cookies are blocked. Go back, reload the page and send it again."
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # Security: one body for what is not there and for what is not yours, whatever the path was.
    return error_page(
        request, status=404, title=_("Nothing is here"), detail=_("There is no such page, or it is not yours to see.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(
        request,
        status=500,
        title=_("Something broke here"),
        detail=_("The fault is ours and it is logged. When you report it, name the request:"),
        request_id=request_id(),
    )
