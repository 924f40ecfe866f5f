"""Promotions that wait for a second person, and what became of them. In the tenant's schema."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from foretell.accounts.permissions import ModelReach
from foretell.core.models import TimestampedModel
from foretell.ids import uuid7


class RequestState(models.TextChoices):
    OPEN = "open", "Waits for a second person"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class PromotionRequestQuerySet(models.QuerySet["PromotionRequest"]):
    def within(self, reach: ModelReach) -> "PromotionRequestQuerySet":
        """Return those of the models that are there for somebody."""
        found = self if reach.only is None else self.filter(model__name__in=reach.only)
        return found.exclude(model__name__in=reach.hidden) if reach.hidden else found

    def shown(self) -> "PromotionRequestQuerySet":
        return self.select_related("model", "version", "requested_by", "decided_by").order_by("-id")


class PromotionRequest(TimestampedModel):
    """Somebody entitled wants an alias moved; where the model asks for four eyes, another one decides."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="promotion_requests")
    alias = models.CharField(max_length=50)
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.CASCADE, related_name="promotion_requests")
    from_number = models.PositiveIntegerField(null=True, blank=True)  # where the alias pointed then; null: nowhere
    allow_signature_change = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField(max_length=1_000, blank=True, default="")  # of who decided

    objects = PromotionRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["model", "alias", "version"], name="promotion_asked_once", condition=Q(state="open")
            ),
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="promotion_state_known"),
            models.CheckConstraint(
                condition=Q(state="open", decided_by=None) | (~Q(state="open") & Q(decided_by__isnull=False)),
                name="promotion_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["model", "-id"], name="promotions_of_model")]

    def __str__(self) -> str:
        return f"{self.alias} to version {self.version_id}: {self.state}"
