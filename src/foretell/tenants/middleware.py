"""Finds the tenant of a request, and works in its schema until the answer is made."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.http.cookie import parse_cookie
from django.template.loader import render_to_string
from django.urls import get_script_prefix, set_script_prefix
from structlog.contextvars import bound_contextvars

from foretell.core.problems import problem_response, wants_problem
from foretell.core.tenancy import use_tenant
from foretell.tenants.models import Tenant
from foretell.tenants.resolving import split_prefix, tenant_named, tenant_of_host

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class TenantMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        prefixed = split_prefix(request.path_info)
        if prefixed is None:
            return self._respond(request, tenant_of_host(request.META.get("HTTP_HOST", "")))
        name, rest = prefixed
        if not rest:
            return _moved(f"{request.path}/")
        return self._respond_below(request, tenant_named(name), prefix=f"/t/{name}", rest=rest)

    def _respond(self, request: HttpRequest, tenant: Tenant | None) -> HttpResponseBase:
        if tenant is None:
            return unknown_address()
        if tenant.is_suspended:
            return suspended(request)
        setattr(request, "tenant", tenant)  # noqa: B010  django-tenants' name for it; HttpRequest has no such field
        with use_tenant(tenant), bound_contextvars(tenant=tenant.name):
            return self.get_response(request)

    def _respond_below(
        self, request: HttpRequest, tenant: Tenant | None, *, prefix: str, rest: str
    ) -> HttpResponseBase:
        """Answer as if the tenant's pages began at `prefix`: links are made below it, and cookies stay below it."""
        script_prefix = get_script_prefix()
        request.path_info = rest
        request.META["SCRIPT_NAME"] = prefix
        request.COOKIES = own_cookies(request.META.get("HTTP_COOKIE", ""))
        set_script_prefix(f"{prefix}/")
        try:
            response = self._respond(request, tenant)
        finally:
            set_script_prefix(script_prefix)
        for cookie in getattr(response, "cookies", {}).values():
            if cookie["path"] == "/":
                cookie["path"] = f"{prefix}/"
        return response


def own_cookies(header: str) -> dict[str, str]:
    """Read cookies so that the first of a name counts: browsers send that of the longest path first, and it is this tenant's."""
    return parse_cookie("; ".join(reversed(header.split(";"))))


def unknown_address() -> HttpResponse:
    """Security: one constant body, whatever the address was."""
    return problem_response(status=404, code="not_found", detail="Nothing is here, or it is not yours.")


def suspended(request: HttpRequest) -> HttpResponse:
    detail = "This tenant is suspended. Nothing of it is lost; ask the operator of this installation to resume it."
    if wants_problem(request):
        return problem_response(status=403, code="tenant_suspended", detail=detail)
    page = render_to_string("web/error.html", {"status": 403, "title": "Suspended", "detail": detail})
    return HttpResponse(page, status=403)


def _moved(path: str) -> HttpResponse:
    response = HttpResponsePermanentRedirect(path)
    response.status_code = 308
    return response
