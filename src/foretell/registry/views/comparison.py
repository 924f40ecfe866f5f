from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.limiting import ModelScope
from foretell.accounts.permissions import Action, is_allowed, principal_of
from foretell.errors import ForetellError
from foretell.naming import ALIAS
from foretell.refusals import NoSuchAlias, NoSuchVersion
from foretell.registry.catalogue import scope_of_model
from foretell.registry.comparing import compare_answers, compare_metrics, compare_signatures
from foretell.registry.models import ModelVersion, RegisteredModel
from foretell.registry.predicting import MAX_NUMBER
from foretell.registry.serializers import VersionSerializer
from foretell.registry.views.access import plain_model_of

SIDE = {"type": "string", "pattern": rf"^([1-9][0-9]{{0,8}}|{ALIAS.pattern})$"}
SIDES = "A version's number, or an alias."
SHOWN = ("version", "state", "runtime", "task", "aliases", "metrics", "created_by", "created_at", "url")


class VersionOrAliasField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        is_number = text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= MAX_NUMBER
        if not is_number and not ALIAS.fullmatch(text):
            raise serializers.ValidationError(f"Found {text[:60]!r}, expected a version's number or an alias.")
        return text


class SidesSerializer(serializers.Serializer[Any]):
    a = VersionOrAliasField(help_text=SIDES)
    b = VersionOrAliasField(help_text=SIDES)


class ComparisonSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    a = serializers.DictField()
    b = serializers.DictField()
    metrics = serializers.DictField(help_text="Each metric of either: a, b and the difference.")
    signature = serializers.DictField(
        allow_null=True, help_text="What differs, and what callers of a would be refused by b."
    )
    answers = serializers.DictField(allow_null=True, help_text="What both answer to the example rows of either.")
    answers_omitted = serializers.CharField(allow_null=True, help_text="Why there are no answers.")


class ComparisonView(generics.GenericAPIView[RegisteredModel]):
    """Two versions of a model beside each other: `?a=1&b=champion`."""

    required_actions = {"GET": Action.READ}
    serializer_class = ComparisonSerializer

    def model_scope(self) -> ModelScope | None:
        return scope_of_model(self.kwargs["name"])

    @extend_schema(
        operation_id="versions_compare",
        parameters=[OpenApiParameter(side, SIDE, required=True, description=SIDES) for side in ("a", "b")],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        model = plain_model_of(request, name)
        sides = SidesSerializer(data=request.query_params.dict())
        sides.is_valid(raise_exception=True)
        a, b = (_version(model, sides.validated_data[side]) for side in ("a", "b"))
        answers, omitted = self._answers(a, b)
        compared = {
            "model": name, "a": self._shown(a), "b": self._shown(b), "metrics": compare_metrics(a.metrics, b.metrics),
            "signature": compare_signatures(a.read_signature(), b.read_signature()) if a.is_ready and b.is_ready else None,
            "answers": answers, "answers_omitted": omitted,
        }  # fmt: skip
        return Response(compared)

    def _shown(self, version: ModelVersion) -> dict[str, Any]:
        data = VersionSerializer(version, context=self.get_serializer_context()).data
        return {name: data[name] for name in SHOWN}

    def _answers(self, a: ModelVersion, b: ModelVersion) -> tuple[dict[str, Any] | None, str | None]:
        """Return the answers, or why there are none: the rest of the comparison stands without them."""
        if not is_allowed(principal_of(self.request), Action.PREDICT, model=a.model.name):
            return None, "Your role, or the scopes of your key, do not include predictions."
        for version in (a, b):
            if not version.is_ready:
                return None, f"{version} is {version.state}, not ready."
        try:
            return compare_answers(a, b), None
        except ForetellError as err:
            return None, err.message


def _version(model: RegisteredModel, asked: str) -> ModelVersion:
    versions = model.versions.select_related("model", "created_by").prefetch_related("aliases")
    found = versions.filter(number=int(asked)) if asked.isdigit() else versions.filter(aliases__name=asked)
    version = found.first()
    if version is None:
        raise NoSuchVersion(model.name, int(asked)) if asked.isdigit() else NoSuchAlias(model.name, asked)
    return version
