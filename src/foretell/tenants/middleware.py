"""Finds the tenant of a request, and works in its schema until the answer is made."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.urls import get_script_prefix, set_script_prefix
from structlog.contextvars import bound_contextvars

from foretell.addresses import normalised_host, split_prefix
from foretell.core.exception_handler import DATABASE_AWAY
from foretell.core.problems import problem_response, wants_problem
from foretell.core.tenancy import use_public, use_tenant
from foretell.problems import CONTENT_TYPE, RETRY_AFTER_S, SUSPENDED, UNKNOWN_ADDRESS
from foretell.tenants import cookies
from foretell.tenants.models import Tenant
from foretell.tenants.resolving import tenant_named, tenant_of_host
from foretell.tenants.schemas import current_schemas

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Respond = Callable[[HttpRequest, Tenant | None], HttpResponseBase]

OPERATORS_PATH = "/admin/"
NOT_MIGRATED = (
    "This tenant is being brought to a new version of Foretell. Nothing of it is lost; try again in a moment."
)


class TenantMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.OPERATORS_HOST and normalised_host(request.META.get("HTTP_HOST", "")) == settings.OPERATORS_HOST:
            return self._respond_to_operator(request)
        prefixed = split_prefix(request.path_info)
        if prefixed is not None and not prefixed[1]:
            return _moved(f"{request.path}/")
        try:
            tenant = tenant_named(prefixed[0]) if prefixed else tenant_of_host(request.META.get("HTTP_HOST", ""))
            is_current = tenant is None or current_schemas.is_current(tenant.schema_name)
        except OperationalError as err:
            log.error("the database does not answer", exc_info=err)
            return refused(request, status=HTTPStatus.SERVICE_UNAVAILABLE, code="unavailable", detail=DATABASE_AWAY)
        respond = self._respond if is_current else self._respond_behind
        if prefixed is None:
            return respond(request, tenant)
        return self._respond_below(request, tenant, respond, prefix=f"/t/{prefixed[0]}", rest=prefixed[1])

    def _respond(self, request: HttpRequest, tenant: Tenant | None) -> HttpResponseBase:
        if tenant is None:
            return unknown_address()
        if tenant.is_suspended:
            return suspended(request)
        setattr(request, "tenant", tenant)  # noqa: B010  django-tenants' name for it; HttpRequest has no such field
        with use_tenant(tenant), bound_contextvars(tenant=tenant.name):
            return self.get_response(request)

    def _respond_to_operator(self, request: HttpRequest) -> HttpResponseBase:
        """Answer at the host that is no tenant's. Security: its addresses are a list of their own, and no prefix leads from it to a tenant."""
        if not request.path_info.startswith(OPERATORS_PATH):
            return unknown_address()
        setattr(request, "urlconf", settings.OPERATORS_URLCONF)  # noqa: B010  Django's name for it
        with use_public():
            return self.get_response(request)

    def _respond_behind(self, request: HttpRequest, tenant: Tenant | None) -> HttpResponseBase:
        """Answer for a tenant whose schema is behind the code: its rows are left alone until `foretell migrate` was there."""
        if tenant is None or tenant.is_suspended:
            return self._respond(request, tenant)
        log.warning("a tenant's schema is behind this version", tenant=tenant.name)
        return refused(request, status=HTTPStatus.SERVICE_UNAVAILABLE, code="tenant_not_migrated", detail=NOT_MIGRATED)

    def _respond_below(
        self, request: HttpRequest, tenant: Tenant | None, respond: Respond, *, prefix: str, rest: str
    ) -> HttpResponseBase:
        """Answer as if the tenant's pages began at `prefix`: links are made below it, and cookies stay below it."""
        script_prefix = get_script_prefix()
        request.path_info = rest
        request.META["SCRIPT_NAME"] = prefix
        request.COOKIES = cookies.read_below_prefix(request.META.get("HTTP_COOKIE", ""))
        set_script_prefix(f"{prefix}/")
        try:
            response = respond(request, tenant)
        finally:
            set_script_prefix(script_prefix)
        cookies.move_below_prefix(response, prefix)
        return response


def unknown_address() -> HttpResponse:
    return HttpResponse(UNKNOWN_ADDRESS, status=HTTPStatus.NOT_FOUND, content_type=CONTENT_TYPE)


def suspended(request: HttpRequest) -> HttpResponse:
    return refused(request, status=HTTPStatus.FORBIDDEN, code="tenant_suspended", detail=SUSPENDED)


def refused(request: HttpRequest, *, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    """Answer where no tenant's schema is at hand: the page is drawn without anything that would ask the database."""
    if wants_problem(request):
        return problem_response(status=status, code=code, detail=detail)
    page = render_to_string("web/error.html", {"status": int(status), "title": status.phrase, "detail": detail})
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return HttpResponse(page, status=status, headers=headers)


def _moved(path: str) -> HttpResponse:
    response = HttpResponsePermanentRedirect(path)
    response.status_code = 308
    return response
