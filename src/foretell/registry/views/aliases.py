from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.core.etags import is_html, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_MATCH_WHERE_THERE, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.refusals import NoSuchVersion
from foretell.registry import aliases, promotions
from foretell.registry.exporting import aliases_table
from foretell.registry.filters import AliasFilters
from foretell.registry.models import Alias, ModelVersion
from foretell.registry.promotion_requests import PromotionRequest
from foretell.registry.promotion_serializers import PromotionSerializer
from foretell.registry.serializers import AliasSerializer
from foretell.registry.views.access import alias_of, plain_model_of
from foretell.registry.views.models import validated
from foretell.registry.views.promotions import promotion_answer
from foretell.registry.writing import AliasCreateSerializer, AliasWriteSerializer


class AliasesView(ListView):
    """The aliases of a model, and the versions they point at."""

    required_actions = {"GET": Action.READ, "POST": Action.PROMOTE}
    serializer_class = AliasSerializer
    parser_classes = [StrictJSONParser]
    filterset_class = AliasFilters
    ordering_fields = ["name", "version__number", "updated_at"]
    queryset = Alias.objects.none()

    def get_queryset(self) -> QuerySet[Alias]:
        return (
            plain_model_of(self.request, self.kwargs["name"])
            .aliases.select_related("version", "model")
            .order_by("name")
        )

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(name__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        return aliases_table(self.kwargs["name"], found)

    @extend_schema(operation_id="aliases_list", responses=AliasSerializer(many=True))
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(
        operation_id="aliases_create",
        request=AliasCreateSerializer,
        responses={201: AliasSerializer, 202: PromotionSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Make an alias; one that is there already is moved by PUT to its own address. 202 where a second person has to approve."""
        model, fields = plain_model_of(request, name), validated(AliasCreateSerializer, request.data)
        made = promotions.promote(
            version=version_numbered(model, fields["version"]), alias=fields["alias"], by=principal_of(request).user, now=timezone.now(),
            allow_signature_change=fields["allow_signature_change"], is_new=True,
        )  # fmt: skip
        if isinstance(made, PromotionRequest):
            return promotion_answer(request, made)
        body = self.get_serializer(made).data
        return Response(body, status=201, headers={"Location": body["url"], "ETag": made.etag})


class AliasView(generics.GenericAPIView[Alias]):
    """One alias: where it points, and moving it."""

    required_actions = {"GET": Action.READ, "PUT": Action.PROMOTE, "DELETE": Action.PROMOTE}
    serializer_class = AliasSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="aliases_read", parameters=[IF_NONE_MATCH], responses=AliasSerializer)
    def get(self, request: Request, name: str, alias: str) -> Response:
        return self._answer(alias_of(request, name, alias))

    @extend_schema(
        operation_id="aliases_move",
        parameters=[IF_MATCH_WHERE_THERE],
        request=AliasWriteSerializer,
        responses={200: AliasSerializer, 202: PromotionSerializer},
    )
    def put(self, request: Request, name: str, alias: str) -> Response:
        """Point the alias at a version; the next prediction through it uses that one. 202 where a second person has to approve."""
        model, fields = plain_model_of(request, name), validated(AliasWriteSerializer, request.data)
        moved = promotions.promote(
            version=version_numbered(model, fields["version"]), alias=alias, by=principal_of(request).user, now=timezone.now(),
            if_match=request.headers.get("If-Match"), must_match=not is_html(request), allow_signature_change=fields["allow_signature_change"],
        )  # fmt: skip
        return promotion_answer(request, moved) if isinstance(moved, PromotionRequest) else self._answer(moved)

    @extend_schema(operation_id="aliases_delete", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, name: str, alias: str) -> Response:
        aliases.delete_alias(
            model=plain_model_of(request, name), alias=alias, by=principal_of(request).user, now=timezone.now(),
            if_match=request.headers.get("If-Match"),
        )  # fmt: skip
        return Response(status=204)

    def _answer(self, alias: Alias) -> Response:
        return tagged(self.request, self.get_serializer(alias).data, etag=alias.etag)


class RollbackView(generics.GenericAPIView[Alias]):
    """Point an alias back at the version before."""

    required_actions = {"POST": Action.PROMOTE}
    serializer_class = AliasSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="aliases_rollback", request=None, responses=AliasSerializer)
    def post(self, request: Request, name: str, alias: str) -> Response:
        moved = aliases.rollback_alias(
            model=plain_model_of(request, name), alias=alias, by=principal_of(request).user, now=timezone.now()
        )
        return Response(self.get_serializer(moved).data, headers={"ETag": moved.etag})


def version_numbered(model: Any, number: int) -> ModelVersion:
    found: ModelVersion | None = model.versions.filter(number=number).first()
    if found is None:
        raise NoSuchVersion(model.name, number)
    return found
