"""Who our customers are, and at which addresses. In the public schema; all that a tenant owns is in its own."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django_tenants.models import DomainMixin, TenantMixin

from foretell.addresses import NAME_PATTERN
from foretell.core.models import TimestampedModel
from foretell.ids import uuid7

validate_name = RegexValidator(
    rf"^{NAME_PATTERN}\Z",
    "A tenant's name has 1 to 42 small letters, digits and inner hyphens, such as acme or acme-labs.",
)
validate_plan_name = RegexValidator(
    rf"^{NAME_PATTERN}\Z",
    "A plan's name has 1 to 42 small letters, digits and inner hyphens, such as small or team-50.",
)
SCHEMA_NAME_PATTERN = r"^t_[a-z0-9]{1,40}$"


class LogPolicy(models.TextChoices):
    """What to do with a prediction that cannot be logged."""

    REQUIRED = "required", "Refuse it"
    BEST_EFFORT = "best_effort", "Answer it, and count the gap"


def new_schema_name() -> str:
    """Security: never made from text that a user wrote."""
    return f"t_{uuid.uuid4().hex}"


class Plan(TimestampedModel):
    """A named set of limits and quotas, which tenants share: `limits` has what `tenants.limits` reads."""

    name = models.CharField(max_length=42, primary_key=True, validators=[validate_plan_name])
    limits = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class TenantManager(models.Manager["Tenant"]):
    """Reads a tenant with its plan: behind the door, in the tenant's schema and with its role, the plan is out of reach."""

    def get_queryset(self) -> models.QuerySet["Tenant"]:
        return super().get_queryset().select_related("plan")

    def due_to_resume(self, now: datetime) -> models.QuerySet["Tenant"]:
        return self.filter(suspended_until__lte=now, delete_after=None)

    def due_to_delete(self, now: datetime) -> models.QuerySet["Tenant"]:
        return self.filter(delete_after__lte=now)


class Tenant(TenantMixin, TimestampedModel):  # type: ignore[misc,django-manager-missing]  # django-tenants is untyped
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=42, unique=True, validators=[validate_name])
    schema_name = models.CharField(max_length=63, unique=True, default=new_schema_name, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=200, blank=True, default="")  # for operators
    suspended_until = models.DateTimeField(null=True, blank=True)
    delete_after = models.DateTimeField(null=True, blank=True)  # it is to be deleted then; suspended until it is
    log_policy = models.CharField(max_length=12, choices=LogPolicy, default=LogPolicy.REQUIRED)
    log_retention_days = models.PositiveIntegerField(default=90)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="tenants")
    own_limits = models.JSONField(
        default=dict, blank=True, db_column="limits"
    )  # in place of the plan's: tenants.limits

    objects = TenantManager()

    auto_create_schema = False  # tenants.services and tenants.deleting do both

    class Meta:
        ordering = ("name",)
        constraints = [
            # Security: whoever writes the row, no other schema becomes a tenant's: not public, not ../x.
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=SCHEMA_NAME_PATTERN), name="tenant_schema_name_is_ours"
            ),
            models.CheckConstraint(condition=models.Q(log_policy__in=LogPolicy.values), name="tenant_log_policy_known"),
            models.CheckConstraint(condition=models.Q(log_retention_days__gte=1), name="tenant_log_retention_is_a_day"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return is_suspended_at(timezone.now(), since=self.suspended_at, until=self.suspended_until)

    @property
    def limits(self) -> dict[str, Any]:
        """What holds: the plan's, and in its place the tenant's own; what neither says, the installation does."""
        return merged_limits(self.plan.limits if self.plan else None, self.own_limits)


def is_suspended_at(now: datetime, *, since: datetime | None, until: datetime | None) -> bool:
    return since is not None and (until is None or now < until)


def merged_limits(of_plan: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    return {**(of_plan or {}), **own}


class Domain(DomainMixin):  # type: ignore[misc]  # django-tenants is untyped
    """A host name, normalised as `resolving.normalised_host` leaves it, that leads to a tenant."""

    class Meta:
        ordering = ("domain",)


class Revision(models.Model):
    """A number that grows with each committed change of a tenant's that others keep in memory; triggers write it, nobody else."""

    schema_name = models.CharField(max_length=63, primary_key=True)
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.schema_name}: {self.number}"
