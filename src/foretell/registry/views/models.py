from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, model_reach, principal_of
from foretell.core.etags import check_match, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_MATCH_NEEDED, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.registry.catalogue import archive_model, change_model, create_model
from foretell.registry.exporting import models_table
from foretell.registry.filters import CHAMPION_METRICS, TAGS, ModelFilters
from foretell.registry.models import RegisteredModel, RegisteredModelQuerySet
from foretell.registry.serializers import ModelDetailSerializer, ModelSerializer
from foretell.registry.views.access import model_of
from foretell.registry.writing import ModelChangeSerializer, ModelCreateSerializer, ModelReplaceSerializer


class ModelsView(ListView):
    """The models of this tenant that are in use; also as CSV, Excel and Parquet.

    Metrics are the champion's: `?metric.accuracy__gte=0.9`, `?ordering=-metric.accuracy`. Each word of `search` is part of a name, or
    begins a word of a description.
    """

    required_actions = {"GET": Action.READ, "POST": Action.PUSH}
    serializer_class = ModelSerializer
    parser_classes = [StrictJSONParser]
    filterset_class = ModelFilters
    entries = {entries.prefix: entries for entries in (CHAMPION_METRICS, TAGS)}
    ordering_fields = ["name", "created_at", "updated_at"]
    queryset = RegisteredModel.objects.none()

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        return RegisteredModel.objects.described().order_by("name").within(model_reach(principal_of(self.request)))

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return cast(RegisteredModelQuerySet, found).found_by(terms)

    def table(self, found: QuerySet[Any]) -> Table:
        return models_table(found)

    @extend_schema(operation_id="models_list", responses=ModelSerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(operation_id="models_create", request=ModelCreateSerializer, responses={201: ModelDetailSerializer})
    def post(self, request: Request) -> Response:
        """Register a name, without a version yet; a push does it as well."""
        fields = validated(ModelCreateSerializer, request.data)
        create_model(**fields, principal=principal_of(request))
        body = ModelDetailSerializer(model_of(request, fields["name"]), context=self.get_serializer_context()).data
        return tagged(request, body, status=201, headers={"Location": body["url"]})


class ModelView(generics.GenericAPIView[RegisteredModel]):
    """One model: read it, describe it, archive it."""

    required_actions = {"GET": Action.READ, "PUT": Action.PUSH, "PATCH": Action.PUSH, "DELETE": Action.PROMOTE}
    serializer_class = ModelDetailSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="models_read", parameters=[IF_NONE_MATCH], responses=ModelDetailSerializer)
    def get(self, request: Request, name: str) -> Response:
        return self._answer(model_of(request, name))

    @extend_schema(
        operation_id="models_replace",
        parameters=[IF_MATCH_NEEDED],
        request=ModelReplaceSerializer,
        responses=ModelDetailSerializer,
    )
    def put(self, request: Request, name: str) -> Response:
        """Describe the model anew, all of it. Needs If-Match: 428 without, 412 where somebody else changed it meanwhile."""
        return self._changed(request, name, ModelReplaceSerializer, is_required=True)

    @extend_schema(
        operation_id="models_change",
        parameters=[IF_MATCH],
        request=ModelChangeSerializer,
        responses=ModelDetailSerializer,
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change what is given, and nothing else."""
        return self._changed(request, name, ModelChangeSerializer, is_required=False)

    @extend_schema(operation_id="models_archive", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Take the model out of use; nothing is deleted, and PATCH {"archived": false} brings it back."""
        archive_model(
            model=model_of(request, name), principal=principal_of(request), now=timezone.now(), precondition=self._matching(False)
        )  # fmt: skip
        return Response(status=204)

    def _changed(self, request: Request, name: str, accepted: type[Any], *, is_required: bool) -> Response:
        model, fields = model_of(request, name), validated(accepted, request.data)
        change_model(
            model=model, principal=principal_of(request), now=timezone.now(), precondition=self._matching(is_required), **fields
        )  # fmt: skip
        return self._answer(model_of(request, name))

    def _matching(self, is_required: bool) -> Any:
        return lambda model: check_match(self.request, self.get_serializer(model).data, is_required=is_required)

    def _answer(self, model: RegisteredModel) -> Response:
        return tagged(self.request, self.get_serializer(model).data)


def validated(serializer_class: type[Any], data: Any, **context: Any) -> dict[str, Any]:
    serializer = serializer_class(data=data, context=context)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
