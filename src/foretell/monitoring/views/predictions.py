from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.folding import folded
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, log_reach, principal_of
from foretell.core.browsable import BrowsableRenderer
from foretell.core.exports import (
    EXPORT_RENDERERS,
    CSVRenderer,
    ExcelRenderer,
    ParquetRenderer,
    export_response,
    is_export,
)
from foretell.core.pagination import NewestFirst, check_pages
from foretell.core.queries import unknown_parameters
from foretell.monitoring.models import Prediction, PredictionQuerySet
from foretell.monitoring.serializers import (
    PredictionDetailSerializer,
    PredictionFilters,
    PredictionSerializer,
    usernames,
)
from foretell.monitoring.views.exporting import predictions_table
from foretell.refusals import ModelNotFound


class PredictionsView(generics.GenericAPIView[Prediction]):
    """The predictions that were answered, the newest first: an admin's list is the tenant's, anybody else's their own.

    One that was just answered is here within about a second.
    """

    required_actions = {"GET": Action.READ_LOG}
    serializer_class = PredictionSerializer
    pagination_class = NewestFirst
    renderer_classes = [JSONRenderer, BrowsableRenderer, *EXPORT_RENDERERS]
    queryset = Prediction.objects.none()

    @extend_schema(
        operation_id="predictions_list",
        parameters=[PredictionFilters],
        responses={
            (200, "application/json"): PredictionSerializer(many=True),
            (200, CSVRenderer.media_type): OpenApiResponse(OpenApiTypes.STR, description="All of them, streamed."),
            (200, ExcelRenderer.media_type): OpenApiResponse(OpenApiTypes.BINARY),
            (200, ParquetRenderer.media_type): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request) -> Response | HttpResponseBase:
        found = narrowed(Prediction.objects.within(log_reach(principal_of(request))).listed(), request)
        if is_export(request):
            check_pages(request)
            return export_response(request, predictions_table(found))
        page = self.paginate_queryset(found) or []
        context = {**self.get_serializer_context(), "usernames": usernames(page)}
        return self.get_paginated_response(PredictionSerializer(page, many=True, context=context).data)


class PredictionView(generics.GenericAPIView[Prediction]):
    """One prediction: what was asked and answered, by which version, when and by whom."""

    required_actions = {"GET": Action.READ_LOG}
    serializer_class = PredictionDetailSerializer

    @extend_schema(operation_id="predictions_read", responses=PredictionDetailSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        found = Prediction.objects.within(log_reach(principal_of(request))).filter(id=id).first()
        if found is None:
            raise ModelNotFound
        context = {**self.get_serializer_context(), "usernames": usernames([found])}
        return Response(PredictionDetailSerializer(found, context=context).data)


def narrowed(predictions: PredictionQuerySet, request: Request) -> PredictionQuerySet:
    """Return those that the address asks for; a filter that nobody knows is refused, since without it all would be shown."""
    filters = PredictionFilters(data=request.query_params.dict())
    unknown = unknown_parameters(request, filters.fields)
    if not filters.is_valid() or unknown:
        raise ValidationError({**filters.errors, **unknown})
    wanted: dict[str, Any] = dict(filters.validated_data)
    if since := wanted.pop("since", None):
        predictions = predictions.since(since)
    if until := wanted.pop("until", None):
        predictions = predictions.until(until)
    if user := wanted.pop("user", None):
        predictions = predictions.filter(user_id__in=User.objects.filter(username_key=folded(user)).values("id"))
    if key := wanted.pop("key", None):
        predictions = predictions.filter(key_id=key)
    return predictions.filter(**wanted)
