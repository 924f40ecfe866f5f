"""Whoever is suspended is so everywhere, for a reason and until a time; and is served again as before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from foretell.core.tenancy import use_public
from foretell.tenants import services
from foretell.tenants.services import InvalidTenant, resume_due, resume_tenant, suspend_tenant
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

NOW = timezone.now()
ROW = {"a": 1, "b": 2}


def test_every_face_refuses(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    bob = http_for("bob")
    suspend_tenant(tenant=acme.tenant, now=NOW, reason="unpaid")

    for method, path in (
        ("POST", "/api/v1/models/sum/predict/"), ("GET", "/api/v1/models/"), ("GET", "/v2/models/sum"), ("POST", "/models/sum/invocations"),
        ("GET", "/accounts/login/"), ("POST", "/v1/models/sum:predict"), ("GET", "/api/v1/usage/"),
    ):  # fmt: skip
        answer = bob.request(method, path, json=ROW if method == "POST" else None)
        assert answer.status_code == 403, path
        assert "unpaid" not in answer.text  # the reason is for operators


def test_a_suspension_ends_by_itself(http_for: HttpFor, acme: House) -> None:
    suspend_tenant(tenant=acme.tenant, now=NOW, until=NOW + timedelta(hours=1))
    bob = http_for("bob")
    assert bob.get("/api/v1/me/").status_code == 403

    assert resume_due(now=NOW + timedelta(minutes=59)) == 0
    assert resume_due(now=NOW + timedelta(minutes=61)) == 1

    assert bob.get("/api/v1/me/").status_code == 200
    assert resume_due(now=NOW + timedelta(minutes=61)) == 0


def test_a_suspension_that_is_over_is_none_whoever_looks(acme: House) -> None:
    suspend_tenant(tenant=acme.tenant, now=NOW - timedelta(hours=2), until=NOW - timedelta(hours=1))

    assert not services.get_tenant("acme").is_suspended


def test_what_makes_no_sense_is_refused(acme: House) -> None:
    with pytest.raises(InvalidTenant, match="over already"):
        suspend_tenant(tenant=acme.tenant, now=NOW, until=NOW)
    with pytest.raises(InvalidTenant, match="201 characters"):
        suspend_tenant(tenant=acme.tenant, now=NOW, reason="x" * 201)

    assert not services.get_tenant("acme").is_suspended


def test_the_installations_audit_says_who_why_and_until_when(acme: House) -> None:
    from foretell.audit.installation.models import InstallationEntry

    suspend_tenant(tenant=acme.tenant, now=NOW, reason="unpaid", until=NOW + timedelta(days=1))
    resume_tenant(tenant=acme.tenant)

    with use_public():
        suspended, resumed = (
            InstallationEntry.objects.about("tenant", [str(acme.tenant.pk)]).order_by("position").reverse()[:2][::-1]
        )
    assert (suspended.action, resumed.action) == ("tenant.suspended", "tenant.resumed")
    assert suspended.after["reason"] == "unpaid"
    assert suspended.after["until"].startswith(f"{NOW + timedelta(days=1):%Y-%m-%d}")
    assert resumed.before["state"] == "suspended"
    assert resumed.after == {"state": "active"}
