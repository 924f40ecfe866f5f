"""Who our customers are, and at which addresses. In the public schema; all that a tenant owns is in its own."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from foretell.addresses import NAME_PATTERN
from foretell.core.models import TimestampedModel
from foretell.ids import uuid7

validate_name = RegexValidator(
    rf"^{NAME_PATTERN}\Z",
    "A tenant's name has 1 to 42 small letters, digits and inner hyphens, such as acme or acme-labs.",
)
SCHEMA_NAME_PATTERN = r"^t_[a-z0-9]{1,40}$"


class LogPolicy(models.TextChoices):
    """What to do with a prediction that cannot be logged."""

    REQUIRED = "required", "Refuse it"
    BEST_EFFORT = "best_effort", "Answer it, and count the gap"


def new_schema_name() -> str:
    """Security: never made from text that a user wrote."""
    return f"t_{uuid.uuid4().hex}"


class Tenant(TenantMixin, TimestampedModel):  # type: ignore[misc,django-manager-missing]  # django-tenants is untyped
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=42, unique=True, validators=[validate_name])
    schema_name = models.CharField(max_length=63, unique=True, default=new_schema_name, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    log_policy = models.CharField(max_length=12, choices=LogPolicy, default=LogPolicy.REQUIRED)
    log_retention_days = models.PositiveIntegerField(default=90)
    limits = models.JSONField(default=dict, blank=True)  # its own, in place of the installation's: tenants.limits

    auto_create_schema = True
    auto_drop_schema = True

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
        return self.suspended_at is not None


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
