from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foretell.accounts import grants
from foretell.accounts.models import ModelGrant, ModelPolicy, User
from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.views.door import user_of
from foretell.accounts.writing import GrantSerializer as GrantWriteSerializer
from foretell.accounts.writing import PolicySerializer as PolicyWriteSerializer
from foretell.core.etags import check_absent, check_match, tagged
from foretell.core.exports import Column, Kind, Table, by_keys, for_tenant
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser
from foretell.core.tenancy import current_tenant
from foretell.registry.views.access import plain_model_of
from foretell.registry.views.models import validated

COLUMNS = (Column("model"), Column("user"), Column("actions", Kind.JSON), Column("updated_at", Kind.TIME))


class GrantSerializer(serializers.ModelSerializer[ModelGrant]):
    """What somebody may do with one model, beside their role."""

    model = serializers.CharField(source="model_name", read_only=True)
    user = serializers.CharField(source="user.username", read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    actions = serializers.ListField(child=serializers.CharField(), read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = ModelGrant
        fields = ["model", "user", "user_id", "actions", "updated_at", "url"]
        read_only_fields = fields

    def get_url(self, grant: ModelGrant) -> str:
        return reverse("registry:grant", args=[grant.model_name, grant.user_id], request=self.context["request"])


class PolicySerializer(serializers.ModelSerializer[ModelPolicy]):
    """What a model asks beyond roles."""

    model = serializers.CharField(source="model_name", read_only=True)
    restricted = serializers.BooleanField(source="is_restricted", read_only=True)
    four_eyes = serializers.BooleanField(source="needs_approval", read_only=True)

    class Meta:
        model = ModelPolicy
        fields = ["model", "restricted", "four_eyes"]
        read_only_fields = fields


class PolicyView(generics.GenericAPIView[ModelPolicy]):
    """Whether a model is restricted to those to whom it was granted, and whether each promotion needs a second person."""

    required_actions = {"GET": Action.MANAGE, "PATCH": Action.MANAGE}
    serializer_class = PolicySerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="access_read", parameters=[IF_NONE_MATCH], responses=PolicySerializer)
    def get(self, request: Request, name: str) -> Response:
        return tagged(request, self._shown(plain_model_of(request, name).name))

    @extend_schema(
        operation_id="access_change", parameters=[IF_MATCH], request=PolicyWriteSerializer, responses=PolicySerializer
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change what is given. To do without four eyes takes an owner."""
        model, fields = plain_model_of(request, name), validated(PolicyWriteSerializer, request.data)
        with transaction.atomic():
            model.lock()
            check_match(request, self._shown(model.name))
            grants.change_policy(model=model.name, by=principal_of(request), **fields)
        return tagged(request, self._shown(model.name))

    def _shown(self, name: str) -> Any:
        return self.get_serializer(grants.policy_of(name)).data


class GrantsView(ListView):
    """Who may do what with a model, beside their roles."""

    required_actions = {"GET": Action.MANAGE}
    serializer_class = GrantSerializer
    ordering_fields = ["user__username_key", "updated_at"]
    queryset = ModelGrant.objects.none()

    def get_queryset(self) -> QuerySet[ModelGrant]:
        name = plain_model_of(self.request, self.kwargs["name"]).name
        return ModelGrant.objects.filter(model_name=name).select_related("user").order_by("user__username_key")

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(user__username__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        rows = by_keys(
            found, lambda part: [(row.model_name, row.user.username, row.actions, row.updated_at) for row in part]
        )
        return Table(f"{self.kwargs['name']}-grants", COLUMNS, for_tenant(current_tenant(), rows))

    @extend_schema(operation_id="grants_list", responses=GrantSerializer(many=True))
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return self.listed(request)


class GrantView(generics.GenericAPIView[ModelGrant]):
    """What one of them may do with a model, beside their role."""

    required_actions = {"GET": Action.MANAGE, "PUT": Action.MANAGE, "DELETE": Action.MANAGE}
    serializer_class = GrantSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="grants_read", parameters=[IF_NONE_MATCH], responses=GrantSerializer)
    def get(self, request: Request, name: str, user_id: UUID) -> Response:
        return tagged(request, self.get_serializer(self._found(name, user_id)).data)

    @extend_schema(
        operation_id="grants_write",
        parameters=[IF_MATCH],
        request=GrantWriteSerializer,
        responses={200: GrantSerializer, 201: GrantSerializer},
    )
    def put(self, request: Request, name: str, user_id: UUID) -> Response:
        """Let somebody do this with the model: all that they are granted on it, not more to it."""
        model, fields = plain_model_of(request, name), validated(GrantWriteSerializer, request.data)
        with transaction.atomic():
            is_new = not self._hold(model.name, user_id)
            made = grants.grant(user=user_of(user_id), model=model.name, by=principal_of(request), **fields)
        return tagged(request, self.get_serializer(made).data, status=201 if is_new else 200)

    @extend_schema(operation_id="grants_delete", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, name: str, user_id: UUID) -> Response:
        """Leave them with their role on the model."""
        user = self._found(name, user_id).user
        with transaction.atomic():
            self._hold(name, user_id)
            if not grants.take_grant(user=user, model=name, by=principal_of(request)):
                raise Http404
        return Response(status=204)

    def _hold(self, name: str, user_id: UUID) -> bool:
        """Compare what there is with what the client read; return whether there is any.

        Race condition: the holder is locked meanwhile, as `grants.grant` does it, and before the grant: so nobody waits in a circle.
        """
        User.objects.select_for_update(of=("self",)).filter(pk=user_id).first()
        held = ModelGrant.objects.select_related("user").filter(model_name=name, user_id=user_id).first()
        if held is None:
            check_absent(self.request)
            return False
        check_match(self.request, self.get_serializer(held).data)
        return True

    def _found(self, name: str, user_id: UUID) -> ModelGrant:
        model = plain_model_of(self.request, name)
        found = ModelGrant.objects.select_related("user").filter(model_name=model.name, user_id=user_id).first()
        if found is None:
            raise Http404
        return found
