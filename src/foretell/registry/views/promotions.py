from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, model_reach, principal_of
from foretell.core.etags import tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.refusals import ModelNotFound
from foretell.registry import promotions
from foretell.registry.exporting import promotions_table
from foretell.registry.promotion_requests import PromotionRequest
from foretell.registry.promotion_serializers import DecisionSerializer, PromotionFilters, PromotionSerializer
from foretell.registry.views.access import plain_model_of
from foretell.registry.views.models import validated


class PromotionsView(ListView):
    """Promotions that needed, or need, a second person; of all models that are there for you."""

    required_actions = {"GET": Action.READ}
    serializer_class = PromotionSerializer
    filterset_class = PromotionFilters
    ordering_fields = ["created_at", "decided_at", "model__name"]
    queryset = PromotionRequest.objects.none()

    def get_queryset(self) -> QuerySet[PromotionRequest]:
        return PromotionRequest.objects.within(model_reach(principal_of(self.request))).shown()

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(model__name__icontains=term) | Q(alias__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        return promotions_table(found)

    @extend_schema(operation_id="promotions_list", responses=PromotionSerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)


class PromotionView(generics.GenericAPIView[PromotionRequest]):
    """One promotion that needed, or needs, a second person."""

    required_actions = {"GET": Action.READ}
    serializer_class = PromotionSerializer

    @extend_schema(operation_id="promotions_read", parameters=[IF_NONE_MATCH], responses=PromotionSerializer)
    def get(self, request: Request, name: str, promotion_id: UUID) -> Response:
        return tagged(request, self.get_serializer(promotion_of(request, name, promotion_id)).data)


class DecisionView(generics.GenericAPIView[PromotionRequest]):
    """Decide a promotion: as the second person approve or decline it; or withdraw one's own."""

    required_actions = {"POST": Action.PROMOTE}
    serializer_class = PromotionSerializer
    parser_classes = [StrictJSONParser]
    decide: Callable[..., Any] = staticmethod(promotions.decline)

    @extend_schema(request=DecisionSerializer, responses=PromotionSerializer)
    def post(self, request: Request, name: str, promotion_id: UUID) -> Response:
        found, fields = promotion_of(request, name, promotion_id), validated(DecisionSerializer, request.data)
        self.decide(request=found, by=principal_of(request), now=timezone.now(), **fields)
        return Response(self.get_serializer(promotion_of(request, name, promotion_id)).data)


class ApproveView(DecisionView):
    """Agree as the second person: the alias moves at once."""

    decide = staticmethod(promotions.approve)


class DeclineView(DecisionView):
    """Say no as the second person: the alias stays where it is."""


class WithdrawView(DecisionView):
    """Take back what you asked for."""

    decide = staticmethod(promotions.withdraw)


def promotion_of(request: Request, name: str, promotion_id: UUID) -> PromotionRequest:
    model = plain_model_of(request, name)
    found = PromotionRequest.objects.shown().filter(model=model, pk=promotion_id).first()
    if found is None:
        raise ModelNotFound
    return found


def promotion_answer(request: Request, asked: PromotionRequest) -> Response:
    """Answer 202: it was taken in, and another person decides."""
    body = PromotionSerializer(asked, context={"request": request}).data
    return Response(body, status=202, headers={"Location": body["url"]})
