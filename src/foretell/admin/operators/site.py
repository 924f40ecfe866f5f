"""The site, and its door: a session that a link from the command line opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import update_wrapper
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from foretell.admin.operators.audit import InstallationEntryAdmin
from foretell.admin.operators.health import Check, health_view
from foretell.admin.operators.models import OperatorSession
from foretell.admin.operators.plans import PlanAdmin
from foretell.admin.operators.sessions import identify, session_of
from foretell.admin.operators.tenants import DomainAdmin, TenantAdmin
from foretell.admin.sites import GuardedSite, View
from foretell.audit.actors import Credential
from foretell.audit.installation.models import InstallationEntry
from foretell.tenants.models import Domain, Plan, Tenant


@dataclass(frozen=True, slots=True)
class Operator:
    """Who asks, as far as Django's templates want to know: nobody of any tenant's."""

    session: OperatorSession
    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = True

    def get_username(self) -> str:
        return self.session.operator

    get_short_name = get_username


class OperatorSite(GuardedSite):
    index_title = _("This installation")

    def __init__(self, checks: Mapping[str, Check]) -> None:
        super().__init__()
        self.checks = checks

    def get_urls(self) -> list[Any]:
        return [path("health/", self.admin_view(health_view(self)), name="health"), *super().get_urls()]

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Guard a page: without an open session there is one page, which says how to get one."""

        @never_cache
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            session = session_of(request.COOKIES.get(settings.OPERATOR_COOKIE_NAME, ""), now=timezone.now())
            if session is None:
                return render(request, "foretell_admin/closed.html", status=HTTPStatus.FORBIDDEN)
            setattr(request, "user", Operator(session))  # noqa: B010  Django's name for who asks
            # Security: what is said of a change stays in the operator's browser; Django's sessions are tenants'.
            setattr(request, "_messages", CookieStorage(request))  # noqa: B010
            identify(session, Credential.SESSION)
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        return update_wrapper(guarded, view)

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, Operator)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "site_header": _("Foretell: operators"),
            "site_url": None,
            "sign_out_url": reverse("operators:leave"),
            "places": [(_("Health"), reverse("admin:health"))],
        }


def operator_site(*, checks: Mapping[str, Check]) -> OperatorSite:
    site = OperatorSite(checks)
    for model, model_admin in (
        (Tenant, TenantAdmin), (Domain, DomainAdmin), (Plan, PlanAdmin), (InstallationEntry, InstallationEntryAdmin),
    ):  # fmt: skip
        site.register(model, model_admin)
    return site
