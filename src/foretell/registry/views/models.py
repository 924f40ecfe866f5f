from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.registry.catalogue import archive_model, change_model, create_model
from foretell.registry.models import RegisteredModel
from foretell.registry.serializers import (
    ModelChangeSerializer,
    ModelDetailSerializer,
    ModelSerializer,
    ModelWriteSerializer,
)
from foretell.registry.views.access import model_of
from foretell.registry.views.parsers import StrictJSONParser


class ModelsView(generics.GenericAPIView[RegisteredModel]):
    """The models of this tenant."""

    required_actions = {"GET": Action.READ, "POST": Action.PUSH}
    serializer_class = ModelSerializer
    parser_classes = [StrictJSONParser]
    filter_backends = [SearchFilter, OrderingFilter]
    search_fields = ["name", "description"]
    ordering_fields = ["name", "created_at", "updated_at"]
    queryset = RegisteredModel.objects.none()

    def get_queryset(self) -> QuerySet[RegisteredModel]:
        return RegisteredModel.objects.listed().limited_to(principal_of(self.request).models)

    @extend_schema(operation_id="models_list", responses=ModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="models_create", request=ModelWriteSerializer, responses={201: ModelDetailSerializer})
    def post(self, request: Request) -> Response:
        fields = validated(ModelWriteSerializer, request.data)
        create_model(**fields, principal=principal_of(request))
        body = ModelDetailSerializer(model_of(request, fields["name"]), context=self.get_serializer_context()).data
        return Response(body, status=201, headers={"Location": body["url"]})


class ModelView(generics.GenericAPIView[RegisteredModel]):
    """One model: read it, describe it, archive it."""

    required_actions = {"GET": Action.READ, "PATCH": Action.PUSH, "DELETE": Action.PROMOTE}
    serializer_class = ModelDetailSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="models_read", responses=ModelDetailSerializer)
    def get(self, request: Request, name: str) -> Response:
        return Response(self.get_serializer(model_of(request, name)).data)

    @extend_schema(operation_id="models_change", request=ModelChangeSerializer, responses=ModelDetailSerializer)
    def patch(self, request: Request, name: str) -> Response:
        model, fields = model_of(request, name), validated(ModelChangeSerializer, request.data)
        change_model(model=model, principal=principal_of(request), now=timezone.now(), **fields)
        return Response(self.get_serializer(model).data)

    @extend_schema(operation_id="models_archive", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Take the model out of use; nothing is deleted, and PATCH {"archived": false} brings it back."""
        archive_model(model=model_of(request, name), principal=principal_of(request), now=timezone.now())
        return Response(status=204)


def validated(serializer_class: type[Any], data: Any) -> dict[str, Any]:
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
