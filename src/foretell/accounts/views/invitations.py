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
from rest_framework.reverse import reverse

from foretell.accounts import invitations
from foretell.accounts.exporting import invitations_table
from foretell.accounts.filters import InvitationFilters
from foretell.accounts.invitation_mail import base_of, link_of, post_invitation
from foretell.accounts.models import Invitation
from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.serializers import InvitationSerializer, JoinedSerializer, NewInvitationSerializer
from foretell.accounts.views.door import invitation_of, validated
from foretell.accounts.views.opened import OpenView
from foretell.accounts.writing import AcceptSerializer, InvitationCreateSerializer
from foretell.core.etags import check_match, tagged
from foretell.core.exports import Table
from foretell.core.lists import ListView
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictJSONParser


class InvitationsView(ListView):
    """Who was asked to come."""

    required_actions = {"GET": Action.MANAGE, "POST": Action.MANAGE}
    serializer_class = InvitationSerializer
    parser_classes = [StrictJSONParser]
    filterset_class = InvitationFilters
    ordering_fields = ["email_key", "role", "created_at", "expires_at"]
    queryset = Invitation.objects.none()

    def get_queryset(self) -> QuerySet[Invitation]:
        return Invitation.objects.select_related("invited_by", "accepted_by").order_by("-id")

    def searched(self, found: QuerySet[Any], terms: list[str]) -> QuerySet[Any]:
        return found.filter(*(Q(email__icontains=term) for term in terms))

    def table(self, found: QuerySet[Any]) -> Table:
        return invitations_table(found)

    @extend_schema(operation_id="invitations_list", responses=InvitationSerializer(many=True))
    def get(self, request: Request) -> HttpResponseBase:
        return self.listed(request)

    @extend_schema(
        operation_id="invitations_create", request=InvitationCreateSerializer, responses={201: NewInvitationSerializer}
    )
    def post(self, request: Request) -> Response:
        """Ask somebody to come, by mail; the link is told here as well, this once. An earlier one to the address is revoked."""
        fields = validated(InvitationCreateSerializer, request)
        base = base_of(request)
        with transaction.atomic():
            made = invitations.invite(**fields, by=principal_of(request), now=timezone.now())
            post_invitation(made, base=base)
        made.link = link_of(made, base=base)  # type: ignore[attr-defined]  # shown by NewInvitationSerializer, kept nowhere
        body = NewInvitationSerializer(made, context={"request": request}).data
        return Response(body, status=201, headers={"Location": body["url"], "Cache-Control": "no-store"})


class InvitationView(generics.GenericAPIView[Invitation]):
    """One invitation: read it, take it back."""

    required_actions = {"GET": Action.MANAGE, "DELETE": Action.MANAGE}
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="invitations_read", parameters=[IF_NONE_MATCH], responses=InvitationSerializer)
    def get(self, request: Request, invitation_id: UUID) -> Response:
        return tagged(request, self.get_serializer(invitation_of(invitation_id)).data)

    @extend_schema(operation_id="invitations_revoke", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Let nobody come by it any more."""
        found = invitation_of(invitation_id)
        with transaction.atomic():
            Invitation.objects.select_for_update(of=("self",)).filter(pk=found.pk).first()
            check_match(request, self.get_serializer(invitation_of(found.pk)).data)
            invitations.revoke_invitation(invitation=found, by=principal_of(request), now=timezone.now())
        return Response(status=204)


class AcceptView(OpenView):
    """Come by an invitation."""

    @extend_schema(
        operation_id="invitations_accept", request=AcceptSerializer, responses={201: JoinedSerializer}, auth=[]
    )
    def post(self, request: Request) -> Response:
        """Give the token of an invitation's link, and become a member by the name and password that you choose.

        Open to all: the token is what one has to show. One that is forged, another tenant's, used, revoked or expired is answered 404.
        """
        user = invitations.accept_invitation(**validated(AcceptSerializer, request), now=timezone.now())
        headers = {"Location": reverse("accounts:me", request=request), "Cache-Control": "no-store"}
        return Response(JoinedSerializer(user).data, status=201, headers=headers)
