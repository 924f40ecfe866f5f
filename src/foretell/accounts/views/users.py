from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts import members, people
from foretell.accounts.exporting import users_table
from foretell.accounts.filters import UserFilters
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, principal_of
from foretell.accounts.serializers import UserSerializer
from foretell.accounts.views.door import user_of, validated
from foretell.accounts.writing import ServiceAccountSerializer, UserChangeSerializer
from foretell.core.etags import check_match, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser


class UsersView(ListView):
    """The tenant's people and service accounts."""

    required_actions = {"GET": Action.MANAGE, "POST": Action.MANAGE}
    serializer_class = UserSerializer
    parser_classes = [StrictJSONParser]
    filterset_class = UserFilters
    ordering_fields = ["username_key", "email_key", "role", "created_at", "last_login"]
    queryset = User.objects.none()

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.members().select_related("responsible").order_by("username_key")

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(username__icontains=term) | Q(email__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        return users_table(found)

    @extend_schema(operation_id="users_list", responses=UserSerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(operation_id="users_create", request=ServiceAccountSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        """Make a service account: it has keys and cannot sign in, and an admin or owner answers for it. People are invited."""
        fields, principal = validated(ServiceAccountSerializer, request), principal_of(request)
        named = fields.pop("responsible", None)
        responsible = principal.user if named is None else people.named("responsible", named)
        made = people.create_service_account(**fields, responsible=responsible, by=principal)
        body = self.get_serializer(made).data
        return tagged(request, body, status=201, headers={"Location": body["url"]})


class UserView(generics.GenericAPIView[User]):
    """One of them: their role, whether they are let in, who answers for a service account."""

    required_actions = {"GET": Action.MANAGE, "PATCH": Action.MANAGE, "DELETE": Action.MANAGE}
    serializer_class = UserSerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="users_read", parameters=[IF_NONE_MATCH], responses=UserSerializer)
    def get(self, request: Request, user_id: UUID) -> Response:
        return tagged(request, self.get_serializer(user_of(user_id)).data)

    @extend_schema(
        operation_id="users_change", parameters=[IF_MATCH], request=UserChangeSerializer, responses=UserSerializer
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Change what is given, all of it or nothing. Nobody changes somebody of a role above their own, or to one."""
        user, fields = user_of(user_id), validated(UserChangeSerializer, request)
        with transaction.atomic():
            self._hold(request, user)
            _change(user, fields, principal_of(request))
        return tagged(request, self.get_serializer(user_of(user_id)).data)

    @extend_schema(operation_id="users_remove", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, user_id: UUID) -> Response:
        """Take somebody out of the tenant, for good: their keys end, their name and address go, what they made stays."""
        user = user_of(user_id)
        with transaction.atomic():
            self._hold(request, user)
            members.remove_user(user=user, by=principal_of(request), now=timezone.now())
        return Response(status=204)

    def _hold(self, request: Request, user: User) -> None:
        """Race condition: the row is held, then compared with what the client read."""
        User.objects.select_for_update(of=("self",)).filter(pk=user.pk).first()
        check_match(request, self.get_serializer(user_of(user.pk)).data)


def _change(user: User, fields: dict[str, Any], by: Principal) -> None:
    if "role" in fields:
        members.change_role(user=user, role=fields["role"], by=by)
    if "is_active" in fields:
        (members.reactivate_user if fields["is_active"] else members.deactivate_user)(user=user, by=by)
    if "responsible" in fields:
        members.change_responsible(user=user, responsible=people.named("responsible", fields["responsible"]), by=by)
