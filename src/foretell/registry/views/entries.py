"""Tags and metrics, all of them or one at a time, at addresses of their own."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.core.etags import check_absent, check_match, tagged
from foretell.core.openapi.headers import IF_MATCH, IF_MATCH_NEEDED, IF_NONE_MATCH
from foretell.core.openapi.schema import DocumentedSchema
from foretell.core.strict import StrictJSONParser, StrictSerializer
from foretell.registry import fields
from foretell.registry.entries import METRIC, TAG, Json, Kind, change_entries, entry_of, with_entry, without_entry
from foretell.registry.fields import MetricsField, TagsField
from foretell.registry.models import ModelVersion, RegisteredModel
from foretell.registry.views.access import plain_model_of, version_of
from foretell.registry.views.models import validated

FIELDS: dict[str, Any] = {TAG.noun: TagsField, METRIC.noun: MetricsField}


class EntrySerializer(StrictSerializer):
    """One tag, or one metric."""

    shown = ("name",)

    name = serializers.CharField(read_only=True)
    value = serializers.JSONField(help_text="A tag's text, or a metric's number.")


class ValueField(serializers.JSONField):
    """What one of them may be, said together with all else that is wrong with a body."""

    kind: Kind

    def to_internal_value(self, data: Any) -> Any:
        if (fault := self.kind.fault_of(data)) is not None:
            raise serializers.ValidationError(fault)
        return data


@extend_schema_field(fields.TAG)
class TagField(ValueField):
    """A tag's text."""

    kind = TAG


@extend_schema_field(fields.METRIC)
class MetricField(ValueField):
    """A metric's number."""

    kind = METRIC


@extend_schema_serializer(component_name="Tag")
class TagEntrySerializer(EntrySerializer):
    value = TagField()


@extend_schema_serializer(component_name="Metric")
class MetricEntrySerializer(EntrySerializer):
    value = MetricField()


ENTRIES: dict[str, type[EntrySerializer]] = {TAG.noun: TagEntrySerializer, METRIC.noun: MetricEntrySerializer}


class EntriesSerializer(serializers.Serializer[Any]):
    """Names with their values; no field is known beforehand."""


class EntriesSchema(DocumentedSchema):
    """Names the operations by what the entries belong to, `model_tags_read`, and their bodies by what they are."""

    def get_operation_id(self) -> str:
        verbs = {"GET": "read", "PUT": "write", "DELETE": "delete"}
        view: Any = self.view
        return f"{view.operations}_{verbs[self.method]}"

    def get_request_serializer(self) -> Any:
        return {"application/json": self._entries()} if self._has_all() else self._entry()

    def get_response_serializers(self) -> Any:
        if self.method == "DELETE":
            return {204: None}
        if self._has_all():
            return {(200, "application/json"): self._entries()}
        return {status: self._entry() for status in ((200, 201) if self.method == "PUT" else (200,))}

    def _has_all(self) -> bool:
        return not isinstance(self.view, EntryView)

    def _entries(self) -> dict[str, Any]:
        view: Any = self.view
        return fields.TAGS if view.kind is TAG else fields.METRICS

    def _entry(self) -> type[EntrySerializer]:
        view: Any = self.view
        return ENTRIES[view.kind.noun]


class EntriesView(generics.GenericAPIView[Any]):
    """All of them, as one object of names and values."""

    required_actions = {"GET": Action.READ, "PUT": Action.PUSH}
    serializer_class: type[serializers.BaseSerializer[Any]] = EntriesSerializer
    parser_classes = [StrictJSONParser]
    schema = EntriesSchema()
    kind: Kind = TAG
    operations = "model_tags"

    @extend_schema(parameters=[IF_NONE_MATCH])
    def get(self, request: Request, **_: Any) -> Response:
        return tagged(request, self.found())

    @extend_schema(parameters=[IF_MATCH_NEEDED])
    def put(self, request: Request, **_: Any) -> Response:
        """Replace them all. Needs If-Match."""
        wanted: Json = FIELDS[self.kind.noun]().run_validation(request.data)
        changed = self.change(lambda _: wanted, lambda found: check_match(request, found, is_required=True))
        return tagged(request, changed)

    def found(self) -> Json:
        found: Json = getattr(self.target(), self.kind.field)
        return found

    def change(self, edit: Any, precondition: Any) -> Json:
        return change_entries(
            target=self.target(), kind=self.kind, edit=edit, principal=principal_of(self.request), now=timezone.now(),
            precondition=precondition,
        )  # fmt: skip

    def target(self) -> RegisteredModel | ModelVersion:
        name, number = self.kwargs["name"], self.kwargs.get("number")
        return plain_model_of(self.request, name) if number is None else version_of(self.request, name, number)


class EntryView(EntriesView):
    """One of them."""

    required_actions = {"GET": Action.READ, "PUT": Action.PUSH, "DELETE": Action.PUSH}
    serializer_class = EntrySerializer

    @extend_schema(parameters=[IF_NONE_MATCH])
    def get(self, request: Request, **_: Any) -> Response:
        return tagged(request, self._shown(self.found()))

    @extend_schema(parameters=[IF_MATCH])
    def put(self, request: Request, **_: Any) -> Response:
        """Set it; the others stay as they are."""
        value = validated(ENTRIES[self.kind.noun], request.data)["value"]
        was_there: list[bool] = []

        def matching(found: Json) -> None:
            was_there.append(self._key in found)
            if self._key in found:
                check_match(request, self._shown(found))
            else:
                check_absent(request)

        changed = self.change(lambda found: with_entry(found, self.kind, self._key, value), matching)
        return tagged(request, self._shown(changed), status=200 if was_there[-1] else 201)

    @extend_schema(parameters=[IF_MATCH])
    def delete(self, request: Request, **_: Any) -> Response:
        self.change(
            lambda found: without_entry(found, self.kind, self._key),
            lambda found: check_match(request, self._shown(found)),
        )
        return Response(status=204)

    @property
    def _key(self) -> str:
        return str(self.kwargs["key"])

    def _shown(self, found: Json) -> Json:
        return {"name": self._key, "value": entry_of(found, self.kind, self._key)}
