"""Plans: named sets of limits and quotas. A tenant has one or none; what it has of its own comes before it."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, ProtectedError

from foretell.audit.recording import record
from foretell.core.tenancy import use_public
from foretell.errors import ForetellError
from foretell.tenants.limits import changed
from foretell.tenants.models import Plan, Tenant


class PlanNotFound(ForetellError):
    code = "plan_not_found"
    kind = "not_found"


class PlanInUse(ForetellError):
    code = "plan_in_use"
    kind = "conflict"


class InvalidPlan(ForetellError):
    code = "invalid_plan"
    kind = "invalid"


def get_plan(name: str) -> Plan:
    with use_public():
        plan = Plan.objects.filter(name=name).first()
    if plan is None:
        raise PlanNotFound(f"There is no plan {name!r}. `foretell plan list` shows those there are.")
    return plan


def list_plans() -> list[Plan]:
    """Return the plans, each with `n_tenants` that have it."""
    with use_public():
        return list(Plan.objects.annotate(n_tenants=Count("tenants")))


def set_plan(*, name: str, changes: Mapping[str, str | int | None]) -> Plan:
    """Make a plan, or change those of its limits that are named; every tenant that has it follows within a second.

    Raises
    ------
    InvalidPlan, InvalidRate, InvalidLimit
    """
    with use_public(), transaction.atomic():
        plan = Plan.objects.select_for_update().filter(name=name).first()
        before = None if plan is None else {"limits": plan.limits}
        plan = plan or Plan(name=name)
        plan.limits = changed(plan.limits, changes)
        _validate(plan)
        plan.save()
        record(
            action="plan.made" if before is None else "plan.changed", target=("plan", name), before=before, after={"limits": plan.limits}
        )  # fmt: skip
    return plan


def delete_plan(*, plan: Plan) -> None:
    """Delete a plan that no tenant has.

    Raises
    ------
    PlanInUse
    """
    with use_public(), transaction.atomic():
        try:
            Plan.objects.filter(pk=plan.pk).delete()
        except ProtectedError as err:
            raise PlanInUse(
                f"Tenants have the plan {plan.name!r}. Give them another one first: `foretell tenant plan NAME PLAN`."
            ) from err
        record(action="plan.deleted", target=("plan", plan.name), before={"limits": plan.limits})


def assign_plan(*, tenant: Tenant, plan: Plan | None) -> None:
    """Give a tenant a plan, or take it away; its own limits stay."""
    before = tenant.plan
    with use_public(), transaction.atomic():
        tenant.plan = plan
        tenant.save(update_fields=["plan", "updated_at"])
        record(
            action="tenant.planned", target=("tenant", str(tenant.pk)), name=tenant.name,
            before=_named(before), after=_named(plan),
        )  # fmt: skip


def _named(plan: Plan | None) -> dict[str, Any]:
    return {"plan": plan.name if plan else None}


def _validate(plan: Plan) -> None:
    try:
        plan.clean_fields()
    except ValidationError as err:
        raise InvalidPlan(f"{plan.name!r} cannot be a plan's name. {' '.join(err.messages)}") from err
