"""What can be served: registered models, their versions, and the aliases that point at them. In the tenant's schema."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import OuterRef, Prefetch, Q, Subquery

from foretell.accounts.permissions import ModelReach
from foretell.core.models import TimestampedModel
from foretell.inference.signature import Signature
from foretell.naming import CHAMPION
from foretell.registry.expressions import DESCRIPTION_WORDS, TaskOf, words_beginning


class State(models.TextChoices):
    QUARANTINED = "quarantined", "Uploaded, not yet looked at"
    BUILDING = "building", "Being converted and checked"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class LogPayload(models.TextChoices):
    """How much of a prediction its log keeps."""

    FULL = "full", "Inputs and outputs"
    REDACTED = "redacted", "Without the values of some inputs"
    NONE = "none", "Neither inputs nor outputs"


class RegisteredModelQuerySet(models.QuerySet["RegisteredModel"]):
    def described(self) -> "RegisteredModelQuerySet":
        """Return them with what is shown of each, in a constant number of queries, whose work grows with the page alone."""
        latest = ModelVersion.objects.filter(model=OuterRef("pk")).order_by("-number").values("number")[:1]
        pointed = Prefetch("aliases", queryset=Alias.objects.shown())
        return self.annotate(latest_version=Subquery(latest)).select_related("created_by").prefetch_related(pointed)

    def listed(self) -> "RegisteredModelQuerySet":
        """Return those in use, as a list shows them."""
        return self.filter(archived_at=None).described().order_by("name")

    def found_by(self, terms: Iterable[str]) -> "RegisteredModelQuerySet":
        """Return those where each term is part of the name, or begins a word of the description."""
        found = self
        for term in terms:
            described = RegisteredModel.objects.alias(words=DESCRIPTION_WORDS).filter(words=words_beginning(term))
            found = found.filter(Q(name__icontains=term) | Q(pk__in=described.values("pk")))
        return found

    def within(self, reach: ModelReach) -> "RegisteredModelQuerySet":
        """Return those that are there for somebody."""
        found = self if reach.only is None else self.filter(name__in=reach.only)
        return found.exclude(name__in=reach.hidden) if reach.hidden else found


class RegisteredModel(TimestampedModel):
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="", max_length=20_000)
    tags = models.JSONField(default=dict, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_number = models.PositiveIntegerField(default=0)  # of its versions: numbers are never used again
    limit_scope = models.CharField(max_length=40, blank=True, default="")  # a named limit of FORETELL_LIMIT_SCOPES
    log_payload = models.CharField(max_length=10, choices=LogPayload, default=LogPayload.FULL)
    redacted_inputs = models.JSONField(default=list, blank=True)  # names of inputs whose values never reach the disk

    objects = RegisteredModelQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["name"], name="model_name_unique"),
            models.CheckConstraint(condition=Q(log_payload__in=LogPayload.values), name="model_log_payload_known"),
        ]
        indexes = [
            models.Index(fields=["name"], name="model_in_use", condition=Q(archived_at=None)),
            GinIndex(DESCRIPTION_WORDS, name="model_description_words"),
        ]

    def __str__(self) -> str:
        return self.name

    def lock(self) -> None:
        """Race condition: whoever numbers versions or moves aliases of one model takes turns, until the transaction ends.

        Whether the model is archived is read anew: who had the turn before may have done it.
        """
        row = RegisteredModel.objects.select_for_update().only("archived_at").get(pk=self.pk)
        self.archived_at = row.archived_at

    def shown_version(self) -> "ModelVersion | None":
        """Return the version that describes the model: the champion, else the latest that is ready."""
        champion = self.versions.filter(aliases__name=CHAMPION).first()
        return champion or self.versions.ready().order_by("-number").first()


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def ready(self) -> "ModelVersionQuerySet":
        return self.filter(state=State.READY)

    def unfinished(self) -> "ModelVersionQuerySet":
        return self.filter(state__in=[State.QUARANTINED, State.BUILDING])

    def abandoned(self, now: datetime) -> "ModelVersionQuerySet":
        """Return those that nobody is building: never begun in time, or begun by a worker that died."""
        return self.unfinished().filter(Q(lease_expires_at__lt=now))


class ModelVersion(TimestampedModel):
    """One build of a model. Once ready it does not change; what changes is which version an alias points at."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.QUARANTINED)
    reason_code = models.CharField(max_length=50, blank=True, default="")
    reason = models.TextField(blank=True, default="")

    # What was pushed.
    push_digest = models.CharField(max_length=64)  # of the files, the sample and the options that decide the outcome
    uploads = models.JSONField(default=list)  # [{"name", "sha256", "size_bytes"}], in chain order
    sample_sha256 = models.CharField(max_length=64, blank=True, default="")
    options = models.JSONField(default=dict)  # target, refinements, accept_difference, converted
    wanted_alias = models.CharField(max_length=50, blank=True, default="")  # moved here when the version is ready

    # What was built of it.
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size_bytes = models.PositiveBigIntegerField(default=0)
    runtime = models.CharField(max_length=10, blank=True, default="")
    runtime_reason = models.TextField(blank=True, default="")
    signature = models.JSONField(null=True, blank=True)
    task = models.GeneratedField(
        expression=TaskOf("signature"), output_field=models.TextField(null=True), db_persist=True
    )
    parity = models.JSONField(null=True, blank=True)
    examples = models.JSONField(null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True, default="")  # the installation's signature over all of this
    ready_at = models.DateTimeField(null=True, blank=True)

    # What its author says of it.
    metrics = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True, default="")
    lineage = models.JSONField(default=dict, blank=True)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    # Who is building it: a lease that ends, and a number that tells a worker that it is no longer the one.
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(default=0)  # workers that died over it

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="version_number_unique"),
            models.UniqueConstraint(fields=["model", "push_digest"], name="version_push_unique"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="version_state_known"),
            models.CheckConstraint(condition=~Q(state=State.READY) | ~Q(seal=""), name="version_ready_is_sealed"),
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_expires_at"],
                name="version_unfinished",
                condition=~Q(state__in=["ready", "failed"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.model.name} version {self.number}"

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY

    def read_signature(self) -> Signature:
        """Return the stored signature.

        Raises
        ------
        InvalidSignature
            where there is none yet, or the row was tampered with.
        """
        return Signature.from_json(self.signature)

    def files(self) -> list[str]:
        """Return the SHA-256 of every stored file that this version needs."""
        return [*(upload["sha256"] for upload in self.uploads), *filter(None, [self.sample_sha256, self.sha256])]


class AliasQuerySet(models.QuerySet["Alias"]):
    def shown(self) -> "AliasQuerySet":
        """Return them with what is shown of their versions in lists, which is little of a version."""
        shown = ("number", "model_id", "task", "metrics")
        return self.select_related("version").only(
            "name", "model_id", "revision", "updated_at", *(f"version__{name}" for name in shown)
        )


class Alias(TimestampedModel):
    """A movable name for one version; `champion` is what predictions use by default."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=50)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    revision = models.PositiveIntegerField(default=1)  # grows with every move: the ETag

    objects = AliasQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="alias_name_unique")]

    def __str__(self) -> str:
        return f"{self.model.name}@{self.name}"

    @property
    def etag(self) -> str:
        return f'"{self.pk}-{self.revision}"'


class ModelCard(TimestampedModel):
    """What people read of a model before they use it: Markdown, with YAML front matter where its author wants."""

    model = models.OneToOneField(RegisteredModel, on_delete=models.CASCADE, related_name="card", primary_key=True)
    text = models.TextField()
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"The card of {self.model_id}"


class AliasMove(models.Model):
    """One move of an alias, for ever: who, when, from which version to which; no version at all is null."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="moves")
    alias = models.CharField(max_length=50)
    from_number = models.PositiveIntegerField(null=True, blank=True)
    to_number = models.PositiveIntegerField(null=True, blank=True)
    is_rollback = models.BooleanField(default=False)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    moved_at = models.DateTimeField()

    class Meta:
        ordering = ("-moved_at", "-id")
        indexes = [models.Index(fields=["model", "alias", "-moved_at"], name="alias_moves")]

    def __str__(self) -> str:
        return f"{self.alias}: {self.from_number} → {self.to_number}"


from foretell.registry.promotion_requests import PromotionRequest  # noqa: E402  so that Django knows it; it names these by text

__all__ = [
    "Alias",
    "AliasMove",
    "LogPayload",
    "ModelCard",
    "ModelVersion",
    "ModelVersionQuerySet",
    "PromotionRequest",
    "RegisteredModel",
    "RegisteredModelQuerySet",
    "State",
]
