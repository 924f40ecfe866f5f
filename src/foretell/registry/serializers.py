"""How models, versions, aliases and cards look from outside."""

import contextlib
from typing import Any

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell.core.openapi.fields import ObjectField, ObjectOrNullField
from foretell.inference.errors import InvalidSignature
from foretell.inference.examples import Examples
from foretell.naming import CHAMPION
from foretell.registry.fields import MetricsField, TagsField
from foretell.registry.front_matter import InvalidFrontMatter, split_card
from foretell.registry.models import Alias, ModelCard, ModelVersion, RegisteredModel


class ModelSerializer(serializers.ModelSerializer[RegisteredModel]):
    """A registered model in a list."""

    tags = TagsField(read_only=True)
    task = serializers.SerializerMethodField()
    metrics = serializers.SerializerMethodField(help_text="Of the champion.")
    aliases = serializers.SerializerMethodField()
    latest_version = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = RegisteredModel
        fields = [
            "name", "description", "tags", "task", "metrics", "aliases", "latest_version", "archived_at", "created_by", "created_at",
            "updated_at", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_task(self, model: RegisteredModel) -> str | None:
        champion = champion_of(model)
        return champion.task if champion else None

    def get_metrics(self, model: RegisteredModel) -> dict[str, float]:
        champion = champion_of(model)
        return champion.metrics if champion else {}

    def get_aliases(self, model: RegisteredModel) -> dict[str, int]:
        return {alias.name: alias.version.number for alias in model.aliases.all()}

    def get_latest_version(self, model: RegisteredModel) -> int | None:
        return getattr(model, "latest_version", None)

    def get_url(self, model: RegisteredModel) -> str:
        return f"{self._list_url}{model.name}/"  # a name stands in an address as it is

    @cached_property
    def _list_url(self) -> str:
        """Optimization: once for a list, not once for each row of it."""
        return str(reverse("registry:models", request=self.context["request"]))

    def link(self, route: str, *args: Any) -> str:
        return reverse(f"registry:{route}", args=args, request=self.context["request"])


class ModelDetailSerializer(ModelSerializer):
    """A registered model with the signature by which it is asked."""

    redacted_inputs = serializers.ListField(child=serializers.CharField(), read_only=True)
    signature = serializers.SerializerMethodField()
    versions_url = serializers.SerializerMethodField()
    aliases_url = serializers.SerializerMethodField()
    card_url = serializers.SerializerMethodField()

    class Meta(ModelSerializer.Meta):
        fields = [
            *ModelSerializer.Meta.fields, "limit_scope", "log_payload", "redacted_inputs", "signature", "versions_url", "aliases_url",
            "card_url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_signature(self, model: RegisteredModel) -> dict[str, Any] | None:
        shown = model.shown_version()
        return shown.signature if shown else None

    def get_versions_url(self, model: RegisteredModel) -> str:
        return self.link("versions", model.name)

    def get_aliases_url(self, model: RegisteredModel) -> str:
        return self.link("aliases", model.name)

    def get_card_url(self, model: RegisteredModel) -> str:
        return self.link("card", model.name)


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """One version, with everything that is known of it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="number", read_only=True)
    reason = serializers.SerializerMethodField()
    task = serializers.CharField(read_only=True, allow_null=True)
    signature = ObjectOrNullField(read_only=True)
    parity = ObjectOrNullField(read_only=True)
    example = serializers.SerializerMethodField()
    lineage = ObjectField(read_only=True)
    metrics = MetricsField(read_only=True)
    tags = TagsField(read_only=True)
    aliases = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    model_url = serializers.SerializerMethodField()
    artifact_url = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "model", "version", "state", "reason", "runtime", "runtime_reason", "task", "sha256", "size_bytes", "signature", "parity",
            "example", "metrics", "tags", "description", "lineage", "aliases", "created_by", "created_at", "ready_at", "model_url",
            "artifact_url", "url",
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

    def get_model_url(self, version: ModelVersion) -> str:
        return reverse("registry:model", args=[version.model.name], request=self.context["request"])

    def get_artifact_url(self, version: ModelVersion) -> str | None:
        return self._link("artifact", version) if version.is_ready else None

    def get_url(self, version: ModelVersion) -> str:
        return self._link("version", version)

    def _link(self, route: str, version: ModelVersion) -> str:
        args = [version.model.name, version.number]
        return reverse(f"registry:{route}", args=args, request=self.context["request"])


class AliasSerializer(serializers.ModelSerializer[Alias]):
    model = serializers.CharField(source="model.name", read_only=True)
    alias = serializers.CharField(source="name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    version_url = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Alias
        fields = ["model", "alias", "version", "updated_at", "version_url", "url"]
        read_only_fields = fields

    def get_version_url(self, alias: Alias) -> str:
        args = [alias.model.name, alias.version.number]
        return reverse("registry:version", args=args, request=self.context["request"])

    def get_url(self, alias: Alias) -> str:
        return reverse("registry:alias", args=[alias.model.name, alias.name], request=self.context["request"])


class CardSerializer(serializers.ModelSerializer[ModelCard]):
    """A model card: as it was written, and in its two parts."""

    model = serializers.CharField(source="model.name", read_only=True)
    metadata = serializers.SerializerMethodField(help_text="The front matter.")
    body = serializers.SerializerMethodField(help_text="The Markdown after it.")
    updated_by = serializers.CharField(source="updated_by.username", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelCard
        fields = ["model", "text", "metadata", "body", "updated_by", "updated_at", "url"]
        read_only_fields = fields

    def get_metadata(self, card: ModelCard) -> dict[str, Any]:
        return _parts(card)[0]

    def get_body(self, card: ModelCard) -> str:
        return _parts(card)[1]

    def get_url(self, card: ModelCard) -> str:
        return reverse("registry:card", args=[card.model.name], request=self.context["request"])


def champion_of(model: RegisteredModel) -> ModelVersion | None:
    return next((alias.version for alias in model.aliases.all() if alias.name == CHAMPION), None)


def _parts(card: ModelCard) -> tuple[dict[str, Any], str]:
    try:
        return split_card(card.text)
    except InvalidFrontMatter:  # written before it was read so strictly
        return {}, card.text
