"""The site, and its door: a session of our own login page, a role that manages, and the limits of whoever asks."""

from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from foretell.accounts.access import requires
from foretell.accounts.limiting import take
from foretell.accounts.models import APIKey, Invitation, User
from foretell.accounts.permissions import Action, is_allowed, principal_of
from foretell.admin.sites import GuardedSite, View
from foretell.admin.tenant.audit import EntryAdmin
from foretell.admin.tenant.keys import KeyAdmin
from foretell.admin.tenant.people import InvitationAdmin, PersonAdmin
from foretell.admin.tenant.predictions import PredictionAdmin
from foretell.admin.tenant.registry import AliasAdmin, ModelAdmin, VersionAdmin
from foretell.audit.models import Entry
from foretell.monitoring.models import Prediction
from foretell.registry.models import Alias, ModelVersion, RegisteredModel


class TenantSite(GuardedSite):
    index_title = _("What is your tenant's")

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Guard a page as every other one is: sign in first, then the role decides. Security: there is no second login."""

        @never_cache
        @requires(Action.MANAGE)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            take(principal_of(request))
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        return update_wrapper(guarded, view)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_authenticated) and is_allowed(principal_of(request), Action.MANAGE)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        places = {"site_url": reverse("web:catalogue"), "sign_out_url": reverse("web:logout")}
        tenant = getattr(request, "tenant", None)
        return {**super().each_context(request), **places, "site_header": f"Foretell: {tenant}"}


def tenant_site() -> TenantSite:
    site = TenantSite()
    for model, model_admin in (
        (User, PersonAdmin), (APIKey, KeyAdmin), (Invitation, InvitationAdmin), (RegisteredModel, ModelAdmin),
        (ModelVersion, VersionAdmin), (Alias, AliasAdmin), (Prediction, PredictionAdmin), (Entry, EntryAdmin),
    ):  # fmt: skip
        site.register(model, model_admin)
    return site
