from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.accounts import api_keys, people
from foretell.accounts.exporting import keys_table
from foretell.accounts.filters import KeyFilters
from foretell.accounts.models import APIKey
from foretell.accounts.permissions import Action, managed_roles, principal_of
from foretell.accounts.serializers import KeySerializer, NewKeySerializer
from foretell.accounts.views.door import key_of, validated
from foretell.accounts.writing import KeyCreateSerializer, KeyRollSerializer
from foretell.core.etags import check_match, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser

UNKEPT = {"Cache-Control": "no-store"}  # Security: what is shown once is kept nowhere on its way


class KeysView(ListView):
    """API keys, without their secrets: your own; an admin's list has those of everybody whom they manage."""

    required_actions = {"GET": Action.MANAGE_SELF, "POST": Action.MANAGE_SELF}
    serializer_class = KeySerializer
    parser_classes = [StrictJSONParser]
    filterset_class = KeyFilters
    ordering_fields = ["name", "created_at", "last_used_at", "expires_at", "user__username_key"]
    queryset = APIKey.objects.none()

    def get_queryset(self) -> QuerySet[APIKey]:
        principal = principal_of(self.request)
        reach = Q(user_id=principal.user.pk) | Q(user__role__in=managed_roles(principal))
        rows = APIKey.objects.select_related("user", "created_by", "rolled_from").order_by("-created_at", "pk")
        return rows.filter(reach, user__removed_at=None)

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        wanted = [
            Q(name__icontains=term) | Q(pk__startswith=term) | Q(user__username__icontains=term) for term in terms
        ]
        return found.filter(*wanted)

    def table(self, found: QuerySet[Any]) -> Table:
        return keys_table(found)

    @extend_schema(operation_id="keys_list", responses=KeySerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(operation_id="keys_create", request=KeyCreateSerializer, responses={201: NewKeySerializer})
    def post(self, request: Request) -> Response:
        """Make a key: for yourself, or, as an admin, for somebody below you or a service account. It is shown this once."""
        fields, principal = validated(KeyCreateSerializer, request), principal_of(request)
        owner = fields.pop("user", None)
        user = principal.user if owner is None else people.named("user", owner)
        key, secret = api_keys.create_key(user=user, by=principal, **fields)
        return shown_once(request, key, secret)


class KeyView(generics.GenericAPIView[APIKey]):
    """One key: read it, end it."""

    required_actions = {"GET": Action.MANAGE_SELF, "DELETE": Action.MANAGE_SELF}
    serializer_class = KeySerializer

    @extend_schema(operation_id="keys_read", parameters=[IF_NONE_MATCH], responses=KeySerializer)
    def get(self, request: Request, key_id: str) -> Response:
        return tagged(request, self.get_serializer(key_of(request, key_id)).data)

    @extend_schema(operation_id="keys_revoke", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, key_id: str) -> Response:
        """End the key, for good; it stays in the list, as revoked."""
        key = key_of(request, key_id)
        with transaction.atomic():
            APIKey.objects.select_for_update(of=("self",)).filter(pk=key.pk).first()
            check_match(request, self.get_serializer(key_of(request, key_id)).data)
            api_keys.revoke_key(key=key, now=timezone.now(), by=principal_of(request))
        return Response(status=204)


class KeyRollView(generics.GenericAPIView[APIKey]):
    """Put a new key in the place of one."""

    required_actions = {"POST": Action.MANAGE_SELF}
    serializer_class = NewKeySerializer
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="keys_roll", request=KeyRollSerializer, responses={201: NewKeySerializer})
    def post(self, request: Request, key_id: str) -> Response:
        """Get a new key that may do the same, at once; the old one stays valid until the grace ends. It is shown this once."""
        serializer = KeyRollSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        key, secret = api_keys.roll_key(
            key=key_of(request, key_id), grace=serializer.grace(), expires_at=serializer.validated_data["expires_at"],
            now=timezone.now(), by=principal_of(request),
        )  # fmt: skip
        return shown_once(request, key, secret)


def shown_once(request: Request, key: APIKey, secret: str) -> Response:
    key.api_key = secret  # type: ignore[attr-defined]  # shown by NewKeySerializer, kept nowhere
    body = NewKeySerializer(key, context={"request": request}).data
    return Response(body, status=201, headers={**UNKEPT, "Location": body["url"]})
