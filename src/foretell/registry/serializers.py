"""How models, versions and aliases look from outside, and what may be sent in. What is unknown is refused, not ignored."""

import contextlib
from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell.inference.errors import InvalidSignature
from foretell.inference.examples import Examples
from foretell.naming import CHAMPION
from foretell.registry.fields import (
    MetricsField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictNumberField,
    StrictSerializer,
    TagsField,
)
from foretell.registry.models import Alias, LogPayload, ModelVersion, RegisteredModel
from foretell.registry.pushing import PushMetadata

MAX_TEXT_CHARS = 20_000


class LineageSerializer(StrictSerializer):
    git_commit = StrictCharField(max_length=100, required=False, allow_blank=True)
    data_sha256 = serializers.RegexField(r"^[0-9a-f]{64}\Z", required=False)
    author = StrictCharField(max_length=200, required=False, allow_blank=True)
    source = StrictCharField(max_length=500, required=False, allow_blank=True)  # type: ignore[assignment]  # Field has an attribute of this name
    libraries = TagsField(required=False)


class PushMetadataSerializer(StrictSerializer):
    """The `metadata` of a push."""

    target = StrictCharField(max_length=200, required=False, allow_null=True, default=None)
    alias = StrictCharField(max_length=50, required=False, allow_null=True, default=None)
    metrics = MetricsField(required=False, default=dict)
    tags = TagsField(required=False, default=dict)
    description = StrictCharField(max_length=MAX_TEXT_CHARS, required=False, allow_blank=True, default="")
    lineage = LineageSerializer(required=False, default=dict)
    refinements = serializers.DictField(required=False, default=dict)
    accept_difference = StrictNumberField(required=False, allow_null=True, default=None, min_value=0)
    converted = serializers.DictField(required=False, allow_null=True, default=None)

    def to_metadata(self) -> PushMetadata:
        return PushMetadata(**self.validated_data)


class ModelSerializer(serializers.ModelSerializer[RegisteredModel]):
    """A registered model in a list."""

    tags = TagsField(required=False)
    task = serializers.SerializerMethodField()
    aliases = serializers.SerializerMethodField()
    latest_version = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = RegisteredModel
        fields = [
            "name",
            "description",
            "tags",
            "task",
            "aliases",
            "latest_version",
            "archived_at",
            "created_at",
            "updated_at",
            "url",
        ]
        read_only_fields = fields

    def get_task(self, model: RegisteredModel) -> str | None:
        return next((alias.version.task for alias in model.aliases.all() if alias.name == CHAMPION), None)

    def get_aliases(self, model: RegisteredModel) -> dict[str, int]:
        return {alias.name: alias.version.number for alias in model.aliases.all()}

    def get_latest_version(self, model: RegisteredModel) -> int | None:
        return getattr(model, "latest_version", None)

    def get_url(self, model: RegisteredModel) -> str:
        return reverse("registry:model", args=[model.name], request=self.context["request"])


class ModelDetailSerializer(ModelSerializer):
    """A registered model with the signature by which it is asked."""

    redacted_inputs = serializers.ListField(child=serializers.CharField(), read_only=True)
    signature = serializers.SerializerMethodField()
    versions_url = serializers.SerializerMethodField()

    class Meta(ModelSerializer.Meta):
        fields = [
            *ModelSerializer.Meta.fields,
            "limit_scope",
            "log_payload",
            "redacted_inputs",
            "signature",
            "versions_url",
        ]
        read_only_fields = fields

    def get_signature(self, model: RegisteredModel) -> dict[str, Any] | None:
        shown = model.shown_version()
        return shown.signature if shown else None

    def get_versions_url(self, model: RegisteredModel) -> str:
        return reverse("registry:versions", args=[model.name], request=self.context["request"])


class ModelWriteSerializer(StrictSerializer):
    """What may be said of a new model."""

    name = StrictCharField(max_length=200)
    description = StrictCharField(max_length=MAX_TEXT_CHARS, required=False, allow_blank=True, default="")
    tags = TagsField(required=False, default=dict)


class ModelChangeSerializer(StrictSerializer):
    """What may be changed of a model."""

    description = StrictCharField(max_length=MAX_TEXT_CHARS, required=False, allow_blank=True)
    tags = TagsField(required=False)
    archived = StrictBooleanField(required=False)
    limit_scope = StrictCharField(max_length=40, required=False, allow_blank=True)
    log_payload = serializers.ChoiceField(LogPayload.choices, required=False)
    redacted_inputs = serializers.ListField(child=StrictCharField(max_length=200), required=False, max_length=2_000)


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """One version, with everything that is known of it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)
    reason = serializers.SerializerMethodField()
    task = serializers.CharField(read_only=True, allow_null=True)
    example = serializers.SerializerMethodField()
    aliases = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "model", "version", "state", "reason", "runtime", "runtime_reason", "task", "sha256", "size_bytes", "signature", "parity",
            "example", "metrics", "tags", "description", "lineage", "aliases", "created_by", "created_at", "ready_at", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_reason(self, version: ModelVersion) -> dict[str, str] | None:
        return {"code": version.reason_code, "message": version.reason} if version.reason_code else None

    def get_example(self, version: ModelVersion) -> dict[str, Any] | None:
        with contextlib.suppress(InvalidSignature):  # not built yet, or tampered with: then there is nothing to show
            return Examples.from_json(version.examples, version.read_signature()).first()
        return None

    def get_aliases(self, version: ModelVersion) -> list[str]:
        return [alias.name for alias in version.aliases.all()]

    def get_url(self, version: ModelVersion) -> str:
        return reverse("registry:version", args=[version.model.name, version.number], request=self.context["request"])


class AliasSerializer(serializers.ModelSerializer[Alias]):
    model = serializers.CharField(source="model.name", read_only=True)
    alias = serializers.CharField(source="name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Alias
        fields = ["model", "alias", "version", "updated_at"]
        read_only_fields = fields


class AliasWriteSerializer(StrictSerializer):
    version = StrictIntegerField(min_value=1, max_value=2**31 - 1)
    allow_signature_change = StrictBooleanField(required=False, default=False)
