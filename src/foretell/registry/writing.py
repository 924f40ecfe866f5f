"""What may be sent in. What is unknown, and what is only read, is refused, not ignored."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foretell.core.strict import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictNumberField,
    StrictSerializer,
)
from foretell.naming import ALIAS, MODEL, InvalidName, check_alias, check_model_name
from foretell.registry.fields import MetricsField, TagsField
from foretell.registry.models import LogPayload
from foretell.registry.pushing import PushMetadata
from foretell.registry.serializers import AliasSerializer, ModelDetailSerializer, VersionSerializer

MAX_TEXT_CHARS = 20_000
MAX_CARD_CHARS = 200_000
MAX_NUMBER = 2**31 - 1


class DescriptionField(StrictCharField):
    """Markdown, as it was written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_TEXT_CHARS, allow_blank=True, trim_whitespace=False, **options)


@extend_schema_field({"type": "string", "pattern": f"^{MODEL.pattern}$"})
class ModelNameField(StrictCharField):
    def run_validation(self, data: Any = serializers.empty) -> str:
        return _named(check_model_name, super().run_validation(data))


@extend_schema_field({"type": "string", "pattern": f"^{ALIAS.pattern}$"})
class AliasField(StrictCharField):
    def run_validation(self, data: Any = serializers.empty) -> str:
        return _named(check_alias, super().run_validation(data))


class ParentSerializer(StrictSerializer):
    """The version that another one was made from."""

    model = StrictCharField(max_length=100)
    version = StrictIntegerField(min_value=1, max_value=MAX_NUMBER)


class LineageSerializer(StrictSerializer):
    git_commit = StrictCharField(max_length=100, required=False, allow_blank=True)
    data_sha256 = serializers.RegexField(r"^[0-9a-f]{64}\Z", required=False)
    dataset = StrictCharField(max_length=500, required=False, allow_blank=True)
    author = StrictCharField(max_length=200, required=False, allow_blank=True)
    source = StrictCharField(max_length=500, required=False, allow_blank=True)  # type: ignore[assignment]  # Field has an attribute of this name
    libraries = TagsField(required=False)
    parent = ParentSerializer(required=False, allow_null=True)


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


class ModelCreateSerializer(StrictSerializer):
    """What may be said of a new model."""

    shown = tuple(ModelDetailSerializer.Meta.fields)

    name = ModelNameField()
    description = DescriptionField(required=False, default="")
    tags = TagsField(required=False, default=dict)


class ModelChangeSerializer(StrictSerializer):
    """What may be changed of a model."""

    shown = tuple(ModelDetailSerializer.Meta.fields)

    description = DescriptionField(required=False)
    tags = TagsField(required=False)
    archived = StrictBooleanField(required=False)
    limit_scope = StrictCharField(max_length=40, required=False, allow_blank=True)
    log_payload = serializers.ChoiceField(LogPayload.choices, required=False)
    redacted_inputs = serializers.ListField(child=StrictCharField(max_length=200), required=False, max_length=2_000)

    def validate_limit_scope(self, scope: str) -> str:
        if scope and scope not in settings.LIMIT_SCOPES:
            known = ", ".join(sorted(settings.LIMIT_SCOPES)) or "none: FORETELL_LIMIT_SCOPES names none"
            raise serializers.ValidationError(
                f"There is no limit {scope!r}. Expected one of {known}; or the empty text.", "unknown_limit_scope"
            )
        return scope


class ModelReplaceSerializer(ModelChangeSerializer):
    """What a model is described by, all of it."""

    description = DescriptionField()
    tags = TagsField()


class VersionChangeSerializer(StrictSerializer):
    """What its author says of a version; what was built of it never changes."""

    shown = tuple(VersionSerializer.Meta.fields)

    description = DescriptionField(required=False)
    tags = TagsField(required=False)
    metrics = MetricsField(required=False)
    lineage = LineageSerializer(required=False)


class VersionReplaceSerializer(VersionChangeSerializer):
    description = DescriptionField()
    tags = TagsField()
    metrics = MetricsField()
    lineage = LineageSerializer()


class AliasWriteSerializer(StrictSerializer):
    shown = tuple(AliasSerializer.Meta.fields)

    version = StrictIntegerField(min_value=1, max_value=MAX_NUMBER)
    allow_signature_change = StrictBooleanField(required=False, default=False)


class AliasCreateSerializer(AliasWriteSerializer):
    alias = AliasField()


class CardWriteSerializer(StrictSerializer):
    shown = ("model", "metadata", "body", "updated_by", "updated_at", "url")

    text = StrictCharField(max_length=MAX_CARD_CHARS, trim_whitespace=False)


def _named(check: Any, name: str) -> str:
    try:
        check(name)
    except InvalidName as err:
        raise serializers.ValidationError(err.message, err.code) from err
    return name
