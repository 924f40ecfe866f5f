"""Plans: sets of limits that tenants share."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from foretell.admin.operators.limit_fields import NAMES, LimitsForm, changes_in
from foretell.admin.service_admin import ServiceAdmin
from foretell.tenants import plans
from foretell.tenants.models import Plan


class PlanForm(LimitsForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.start_with(self.instance.limits)


class NewPlanForm(LimitsForm):
    name = forms.CharField(label=_("Name"), max_length=42)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Plan.objects.filter(pk=name).exists():
            raise forms.ValidationError(_("There is a plan of this name already."))
        return name


class PlanAdmin(ServiceAdmin):
    form, add_form = PlanForm, NewPlanForm
    shown = ("name", "n_tenants", "created_at", "updated_at")
    written, added = NAMES, ("name", *NAMES)
    writes = frozenset({"add", "change", "delete"})
    removal = _("Only a plan that no tenant has can be deleted.")
    list_display = ("name", "limits", "n_tenants", "updated_at")
    search_fields = ("name",)

    @admin.display(description=_("tenants"), ordering="n_tenants")
    def n_tenants(self, obj: Any) -> int:
        return int(obj.n_tenants)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return Plan.objects.annotate(n_tenants=Count("tenants")).order_by("name")

    def audit_target(self, obj: Plan) -> tuple[str, str]:
        return "plan", obj.name

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Plan:
        return plans.set_plan(name=fields["name"], changes=changes_in(fields, {}))

    def change(self, request: HttpRequest, obj: Plan, fields: dict[str, Any]) -> Plan:
        changes = changes_in(fields, obj.limits)
        return plans.set_plan(name=obj.name, changes=changes) if changes else obj

    def remove(self, request: HttpRequest, obj: Plan) -> None:
        plans.delete_plan(plan=obj)
