"""A plan's limits hold for its tenants, until a tenant has its own; and for the lane, within a second."""

import json

import pytest

from foretell.tenants import services
from foretell.tenants.limits import InvalidLimit, limits_in_words, rate_of, set_limits
from foretell.tenants.plans import (
    InvalidPlan,
    PlanInUse,
    PlanNotFound,
    assign_plan,
    delete_plan,
    get_plan,
    list_plans,
    set_plan,
)
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

pytestmark = pytest.mark.usefixtures("only_the_cast")
ROW = {"a": 1, "b": 2}


def statuses(http_for: HttpFor, person: str, count: int) -> list[int]:
    client = http_for(person)
    return [client.post("/api/v1/models/sum/predict/", json=ROW).status_code for _ in range(count)]


def test_a_plans_limits_hold_for_its_tenants_and_for_nobody_else(http_for: HttpFor, acme: House, globex: House) -> None:
    for house, author in ((acme, "alice"), (globex, "carol")):
        ready_sum_model(house, by=author)
    assign_plan(tenant=acme.tenant, plan=set_plan(name="small", changes={"user": "2/min"}))

    assert statuses(http_for, "bob", 3) == [200, 200, 429]
    assert statuses(http_for, "carol", 3) == [200, 200, 200]


def test_django_and_the_lane_go_by_the_same_plan(http_for: HttpFor, acme: House) -> None:
    assign_plan(
        tenant=acme.tenant, plan=set_plan(name="small", changes={"tenant": "7/min", "user": "off", "key": "off"})
    )

    assert http_for("bob").get("/api/v1/me/").headers["RateLimit-Policy"] == '"tenant";q=7;w=60'


def test_a_change_of_a_plan_holds_for_all_who_have_it(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    assign_plan(tenant=acme.tenant, plan=set_plan(name="small", changes={"requests_per_month": 0}))
    assert statuses(http_for, "bob", 1) == [429]

    set_plan(name="small", changes={"requests_per_month": None})

    assert statuses(http_for, "bob", 2) == [200, 200]


def test_a_tenants_own_limit_comes_before_its_plans_and_that_before_the_installations(acme: House) -> None:
    assign_plan(tenant=acme.tenant, plan=set_plan(name="small", changes={"user": "2/min", "key": "1/min"}))
    set_limits(tenant=acme.tenant, changes={"user": "5/min"})

    tenant = services.get_tenant("acme")
    said = {
        row["limit"]: (row["value"], row["set_by"])
        for row in limits_in_words(tenant.own_limits, tenant.plan.limits if tenant.plan else None)
    }

    assert str(rate_of(tenant.limits, "user")) == "5/min"
    assert said["user"] == ("5/min", "tenant")
    assert said["key"] == ("1/min", "plan")
    assert said["tenant"][1] == "installation"


def test_taking_a_plan_away_leaves_the_tenants_own(acme: House) -> None:
    assign_plan(tenant=acme.tenant, plan=set_plan(name="small", changes={"user": "2/min", "key": "1/min"}))
    set_limits(tenant=acme.tenant, changes={"user": "5/min"})
    assign_plan(tenant=acme.tenant, plan=None)

    assert services.get_tenant("acme").limits == {"user": "5/min"}


def test_a_plan_that_somebody_has_is_not_deleted(acme: House) -> None:
    plan = set_plan(name="small", changes={})
    assign_plan(tenant=acme.tenant, plan=plan)

    with pytest.raises(PlanInUse, match="foretell tenant plan"):
        delete_plan(plan=plan)
    assert [(plan.name, getattr(plan, "n_tenants", None)) for plan in list_plans()] == [("small", 1)]

    assign_plan(tenant=acme.tenant, plan=None)
    delete_plan(plan=plan)
    with pytest.raises(PlanNotFound, match="foretell plan list"):
        get_plan("small")


@pytest.mark.parametrize("name", ["", "Small", "a b", "a" * 43, "-a", "../x"])
def test_a_plan_needs_a_name_that_is_one(name: str) -> None:
    with pytest.raises(InvalidPlan):
        set_plan(name=name, changes={})


def test_a_limit_that_is_none_is_refused_and_changes_nothing() -> None:
    set_plan(name="small", changes={"user": "2/min"})

    with pytest.raises(InvalidLimit):
        set_plan(name="small", changes={"user": "3/min", "requests_per_month": -1})

    assert get_plan("small").limits == {"user": "2/min"}


def test_what_is_done_to_plans_is_in_the_installations_audit(acme: House) -> None:
    from foretell.audit.installation.models import InstallationEntry
    from foretell.core.tenancy import use_public

    assign_plan(tenant=acme.tenant, plan=set_plan(name="audited", changes={"user": "2/min"}))

    with use_public():
        said = list(InstallationEntry.objects.order_by("position").values_list("action", "target_kind", "after"))[-2:]
    assert json.dumps(said[0]) == json.dumps(["plan.made", "plan", {"limits": {"user": "2/min"}}])
    assert json.dumps(said[1]) == json.dumps(["tenant.planned", "tenant", {"plan": "audited"}])
