"""The only doors to somebody, a key and an invitation: not there, and not yours, are one answer."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request

from foretell.accounts.models import APIKey, Invitation, User
from foretell.accounts.permissions import may_see_keys, principal_of


def validated(serializer_class: type[Any], request: Request, **options: Any) -> dict[str, Any]:
    """Return what came in; all that is wrong with it is told at once."""
    serializer = serializer_class(data=request.data, context={"request": request}, **options)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def user_of(user_id: UUID) -> User:
    found = User.objects.members().select_related("responsible").filter(pk=user_id).first()
    if found is None:
        raise Http404
    return found


def key_of(request: Request, key_id: str) -> APIKey:
    rows = APIKey.objects.select_related("user", "created_by", "rolled_to", "rolled_from")
    found = rows.filter(pk=key_id, user__removed_at=None).first()
    if found is None or not may_see_keys(principal_of(request), found.user):
        raise Http404
    return found


def invitation_of(invitation_id: UUID) -> Invitation:
    found = Invitation.objects.select_related("invited_by", "accepted_by").filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    return found
