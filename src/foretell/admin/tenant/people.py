"""People, service accounts, and who was asked to come."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foretell.accounts import invitations, members, people
from foretell.accounts.flows.joining import sign_up_mode
from foretell.accounts.invitation_mail import base_of, post_invitation
from foretell.accounts.models import Invitation, User
from foretell.accounts.permissions import managed_roles, may_manage, may_read_audit, principal_of
from foretell.accounts.roles import Role
from foretell.accounts.serializers import shown_state
from foretell.admin.forms import ServiceForm
from foretell.admin.service_admin import ServiceAdmin


class PersonForm(ServiceForm):
    role = forms.ChoiceField(label=_("Role"))
    is_active = forms.BooleanField(label=_("Is let in"), required=False)
    responsible = forms.CharField(label=_("Who answers for it"), max_length=254, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _roles(self.request, is_person=self.instance.is_person)  # type: ignore[attr-defined]  # a ChoiceField's
        responsible = self.instance.responsible
        self.initial["responsible"] = responsible.username if responsible else ""
        if self.instance.is_person:
            del self.fields["responsible"]  # people answer for themselves


class ServiceAccountForm(ServiceForm):
    username = forms.CharField(label=_("Name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _roles(self.request, is_person=False)  # type: ignore[attr-defined]  # a ChoiceField's


class InvitationForm(ServiceForm):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _roles(self.request, is_person=True)  # type: ignore[attr-defined]  # a ChoiceField's


class PersonAdmin(ServiceAdmin):
    """People are invited; what is added here is a service account."""

    words = ("account", "accounts")

    form, add_form = PersonForm, ServiceAccountForm
    shown = (
        "username", "email", "is_person", "role", "is_active", "responsible", "last_login", "created_at", "updated_at",
    )  # fmt: skip
    written, added = ("role", "is_active", "responsible"), ("username", "role")
    writes = frozenset({"add", "change", "delete"})
    removal = _("They are out for good: their keys are revoked, their grants go. What they made stays.")
    list_display = ("username", "email", "role", "is_person", "is_active", "responsible", "last_login", "created_at")
    list_filter = ("role", "is_active", "is_person")
    search_fields = ("username", "email")
    ordering = ("username_key",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return User.objects.members().select_related("responsible").defer("password").order_by("username_key")

    def written_of(self, obj: User) -> Sequence[str]:
        return self.written[:-1] if obj.is_person else self.written

    def may_write(self, request: HttpRequest, obj: User) -> bool:
        return may_manage(principal_of(request), obj.role)

    def may_read_history(self, request: HttpRequest) -> bool:
        return may_read_audit(principal_of(request))

    def audit_target(self, obj: User) -> tuple[str, str]:
        return "user", str(obj.pk)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> User:
        by = principal_of(request)
        return people.create_service_account(
            username=fields["username"], role=fields["role"], responsible=by.user, by=by
        )

    def change(self, request: HttpRequest, obj: User, fields: dict[str, Any]) -> User:
        by = principal_of(request)
        members.change_role(user=obj, role=fields["role"], by=by)
        if fields.get("responsible", "") != (obj.responsible.username if obj.responsible else ""):
            responsible = people.named("responsible", fields["responsible"])
            members.change_responsible(user=obj, responsible=responsible, by=by)
        (members.reactivate_user if fields["is_active"] else members.deactivate_user)(user=obj, by=by)
        return obj

    def remove(self, request: HttpRequest, obj: User) -> None:
        members.remove_user(user=obj, by=principal_of(request), now=timezone.now())


class InvitationAdmin(ServiceAdmin):
    add_form = InvitationForm
    shown = (
        "email",
        "role",
        "state_now",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "accepted_by",
        "revoked_at",
    )
    added = ("email", "role")
    writes = frozenset({"add", "delete"})
    removal = _("Nobody comes by it any more. One that is over stays as it is.")
    list_display = ("email", "role", "state", "invited_by", "created_at", "expires_at")
    list_filter = ("role", ("accepted_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("email",)

    @admin.display(description=_("state"))
    def state(self, obj: Invitation) -> str:
        return obj.state(timezone.now())

    @admin.display(description=_("state"))
    def state_now(self, obj: Invitation) -> str:
        """Say whether it still lets anybody in, which asks what its sender is worth today."""
        return shown_state(obj, timezone.now(), mode=sign_up_mode())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        return Invitation.objects.select_related("invited_by", "accepted_by").order_by("-id")

    def may_write(self, request: HttpRequest, obj: Invitation) -> bool:
        return may_manage(principal_of(request), obj.role)

    def may_read_history(self, request: HttpRequest) -> bool:
        return may_read_audit(principal_of(request))

    def audit_target(self, obj: Invitation) -> tuple[str, str]:
        return "invitation", str(obj.pk)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Invitation:
        made = invitations.invite(**fields, by=principal_of(request), now=timezone.now())
        post_invitation(made, base=base_of(request))
        return made

    def remove(self, request: HttpRequest, obj: Invitation) -> None:
        invitations.revoke_invitation(invitation=obj, now=timezone.now(), by=principal_of(request))


def _roles(request: HttpRequest, *, is_person: bool) -> list[tuple[str, str]]:
    roles = managed_roles(principal_of(request))
    return [(role, Role(role).label) for role in roles if is_person or role != Role.OWNER]
