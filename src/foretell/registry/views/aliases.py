from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts.permissions import Action, principal_of
from foretell.refusals import NoSuchVersion
from foretell.registry import aliases
from foretell.registry.models import Alias
from foretell.registry.serializers import AliasSerializer, AliasWriteSerializer
from foretell.registry.views.access import alias_of, model_of
from foretell.registry.views.models import validated
from foretell.registry.views.parsers import StrictJSONParser

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of your last GET; needed to move an alias that exists.",
)


class AliasesView(generics.GenericAPIView[Alias]):
    """The aliases of a model, and the versions they point at."""

    required_actions = {"GET": Action.READ}
    serializer_class = AliasSerializer
    queryset = Alias.objects.none()

    @extend_schema(operation_id="aliases_list", responses=AliasSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        found = model_of(request, name).aliases.select_related("version", "model")
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)


class AliasView(generics.GenericAPIView[Alias]):
    """One alias: where it points, and moving it."""

    required_actions = {"GET": Action.READ, "PUT": Action.PROMOTE, "DELETE": Action.PROMOTE}
    serializer_class = AliasSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="aliases_read", responses=AliasSerializer)
    def get(self, request: Request, name: str, alias: str) -> Response:
        return self._answer(alias_of(request, name, alias))

    @extend_schema(
        operation_id="aliases_move", parameters=[IF_MATCH], request=AliasWriteSerializer, responses=AliasSerializer
    )
    def put(self, request: Request, name: str, alias: str) -> Response:
        """Point the alias at a version; the next prediction through it uses that one."""
        model, fields = model_of(request, name), validated(AliasWriteSerializer, request.data)
        version = model.versions.filter(number=fields["version"]).first()
        if version is None:
            raise NoSuchVersion(name, fields["version"])
        moved = aliases.promote_version(
            version=version, alias=alias, by=principal_of(request).user, now=timezone.now(), if_match=request.headers.get("If-Match"),
            must_match=True, allow_signature_change=fields["allow_signature_change"],
        )  # fmt: skip
        return self._answer(moved)

    @extend_schema(operation_id="aliases_delete", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, name: str, alias: str) -> Response:
        aliases.delete_alias(
            model=model_of(request, name),
            alias=alias,
            by=principal_of(request).user,
            now=timezone.now(),
            if_match=request.headers.get("If-Match"),
        )
        return Response(status=204)

    def _answer(self, alias: Alias) -> Response:
        return Response(self.get_serializer(alias).data, headers={"ETag": alias.etag})


class RollbackView(generics.GenericAPIView[Alias]):
    """Point an alias back at the version before."""

    required_actions = {"POST": Action.PROMOTE}
    serializer_class = AliasSerializer

    @extend_schema(operation_id="aliases_rollback", request=None, responses=AliasSerializer)
    def post(self, request: Request, name: str, alias: str) -> Response:
        moved = aliases.rollback_alias(
            model=model_of(request, name), alias=alias, by=principal_of(request).user, now=timezone.now()
        )
        return Response(self.get_serializer(moved).data, headers={"ETag": moved.etag})
