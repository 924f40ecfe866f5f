"""Tenants and their domains: served or suspended, on which plan, within which limits. They are made and deleted at the command line."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foretell.admin.operators.limit_fields import NAMES, LimitsForm, changes_in
from foretell.admin.service_admin import ServiceAdmin
from foretell.tenants import plans, services
from foretell.tenants.limits import limits_in_words, set_limits
from foretell.tenants.models import Domain, LogPolicy, Plan, Tenant


class TenantForm(LimitsForm):
    is_suspended = forms.BooleanField(
        label=_("Suspended"), required=False, help_text=_("Every request is answered 403.")
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=services.MAX_REASON_CHARS)
    until = forms.DateTimeField(
        label=_("Until (UTC)"), required=False, help_text=_("Such as 2026-12-01 12:00; empty: until it is resumed.")
    )
    plan_name = forms.ChoiceField(label=_("Plan"), required=False)
    log_policy = forms.ChoiceField(label=_("A prediction that cannot be logged"), choices=LogPolicy.choices)
    log_retention_days = forms.IntegerField(
        label=_("Days that the log is kept"), min_value=1, max_value=services.MAX_RETENTION_DAYS
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant: Tenant = self.instance
        names = Plan.objects.order_by("name").values_list("name", flat=True)
        self.fields["plan_name"].choices = [("", "—"), *((name, name) for name in names)]  # type: ignore[attr-defined]  # a ChoiceField's
        self.start_with(tenant.own_limits)
        self.initial.update(
            is_suspended=tenant.suspended_at is not None, reason=tenant.suspended_reason, until=tenant.suspended_until,
            plan_name=tenant.plan_id or "",
        )  # fmt: skip


class TenantAdmin(ServiceAdmin):
    form = TenantForm
    shown = (
        "name",
        "id",
        "schema_name",
        "state",
        "hosts",
        "limits_that_hold",
        "delete_after",
        "created_at",
        "updated_at",
    )
    written = ("is_suspended", "reason", "until", "plan_name", *NAMES, "log_policy", "log_retention_days")
    writes = frozenset({"change"})
    list_display = ("name", "state", "plan", "hosts", "log_retention_days", "schema_name", "created_at")
    list_filter = (
        "log_policy", ("suspended_at", admin.EmptyFieldListFilter), ("delete_after", admin.EmptyFieldListFilter),
    )  # fmt: skip
    search_fields = ("name", "domains__domain", "=schema_name")
    list_select_related = ("plan",)

    @admin.display(description=_("state"))
    def state(self, obj: Tenant) -> str:
        return services.state_of(obj)

    @admin.display(description=_("domains"))
    def hosts(self, obj: Tenant) -> str:
        return ", ".join(domain.domain for domain in obj.domains.all())

    @admin.display(description=_("limits that hold"))
    def limits_that_hold(self, obj: Tenant) -> str:
        rows = limits_in_words(obj.own_limits, obj.plan.limits if obj.plan else None)
        return "\n".join(f"{row['limit']}: {row['value']} (by the {row['set_by']})" for row in rows)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        domains = Prefetch("domains", queryset=Domain.objects.order_by("-is_primary", "domain"))
        return Tenant.objects.get_queryset().prefetch_related(domains).order_by("name")

    def audit_target(self, obj: Tenant) -> tuple[str, str]:
        return services.target_of(obj)

    def change(self, request: HttpRequest, obj: Tenant, fields: dict[str, Any]) -> Tenant:
        """Make what was changed so, each by its own service. Race condition: the row is held, and compared as it is now."""
        tenant = Tenant.objects.select_for_update(of=("self",)).get(pk=obj.pk)
        _serve_or_suspend(tenant, fields)
        if (fields["plan_name"] or None) != tenant.plan_id:
            plans.assign_plan(tenant=tenant, plan=plans.get_plan(fields["plan_name"]) if fields["plan_name"] else None)
        if changes := changes_in(fields, tenant.own_limits):
            set_limits(tenant=tenant, changes=changes)
        log = {"policy": fields["log_policy"], "retention_days": fields["log_retention_days"]}
        if log != {"policy": tenant.log_policy, "retention_days": tenant.log_retention_days}:
            services.set_log(tenant=tenant, **log)
        return tenant


class DomainAdmin(ServiceAdmin):
    """Only read: a domain comes with its tenant."""

    has_history = False
    shown = ("domain", "tenant", "is_primary")
    list_display = ("domain", "tenant", "is_primary")
    list_filter = ("is_primary",)
    search_fields = ("domain", "tenant__name")
    list_select_related = ("tenant", "tenant__plan")
    ordering = ("domain",)


def _serve_or_suspend(tenant: Tenant, fields: dict[str, Any]) -> None:
    wanted = (fields["is_suspended"], fields["reason"], fields["until"])
    if not fields["is_suspended"]:
        if tenant.suspended_at is not None:
            services.resume_tenant(tenant=tenant)
    elif wanted != (tenant.suspended_at is not None, tenant.suspended_reason, _whole_seconds(tenant.suspended_until)):
        if tenant.delete_after is not None:
            raise services.InvalidTenant("It is to be deleted. Resume it first: then nothing of it goes.")
        services.suspend_tenant(tenant=tenant, now=timezone.now(), reason=fields["reason"], until=fields["until"])


def _whole_seconds(moment: datetime | None) -> datetime | None:
    """Return a time as a form shows it."""
    return moment.replace(microsecond=0) if moment else None
