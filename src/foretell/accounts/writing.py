"""What may be sent in. What is unknown, and what is only read, is refused, not ignored."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from foretell.accounts.api_keys import GRACE, MAX_GRACE, MAX_MODELS
from foretell.accounts.permissions import GRANTABLE
from foretell.accounts.roles import Role, Scope
from foretell.accounts.serializers import (
    InvitationSerializer,
    JoinedSerializer,
    KeySerializer,
    MeSerializer,
    UserSerializer,
)
from foretell.core.strict import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer

MAX_PASSWORD_CHARS = 1_024
MAX_TOKEN_CHARS = 200  # of an invitation; one has 82


SERVICE_ROLE_CHOICES = [(role, role) for role in Role.values if role != Role.OWNER]


class UserNameField(StrictCharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=150, **options)


class PasswordField(StrictCharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=MAX_PASSWORD_CHARS, trim_whitespace=False, style={"input_type": "password"}, write_only=True, **options
        )  # fmt: skip


class EmailField(serializers.EmailField, StrictCharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)


class MeChangeSerializer(StrictSerializer):
    """What one changes of oneself; with the password of now."""

    shown = tuple(MeSerializer().fields)

    username = UserNameField(required=False)
    email = EmailField(required=False)
    password = PasswordField(required=False)
    current_password = PasswordField()


class LeaveSerializer(StrictSerializer):
    """Leaving cannot be undone: it is asked for by name."""

    username = UserNameField(help_text="Your own user name, to be sure.")


class KeyCreateSerializer(StrictSerializer):
    shown = tuple(KeySerializer.Meta.fields)

    name = StrictCharField(max_length=100, help_text="What it is for.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), min_length=1, max_length=len(Scope))
    models = serializers.ListField(
        child=StrictCharField(max_length=100), required=False, allow_null=True, default=None, min_length=1, max_length=MAX_MODELS,
        help_text="Names of the models that it is limited to; null: all.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    user = UserNameField(
        required=False, help_text="Whose key it is, where it is not your own: a service account's, say."
    )


class KeyRollSerializer(StrictSerializer):
    shown = tuple(KeySerializer.Meta.fields)

    grace_s = StrictIntegerField(
        required=False, default=int(GRACE.total_seconds()), min_value=0, max_value=int(MAX_GRACE.total_seconds()),
        help_text="How long the old key stays valid, in seconds.",
    )  # fmt: skip
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def grace(self) -> timedelta:
        return timedelta(seconds=self.validated_data["grace_s"])


class ServiceAccountSerializer(StrictSerializer):
    """A new service account; people come by invitation."""

    shown = tuple(UserSerializer.Meta.fields)

    username = UserNameField()
    role = serializers.ChoiceField(SERVICE_ROLE_CHOICES, default=Role.VIEWER)
    responsible = UserNameField(required=False, help_text="The admin or owner who answers for it; by default you.")


class UserChangeSerializer(StrictSerializer):
    shown = tuple(UserSerializer.Meta.fields)

    role = serializers.ChoiceField(Role.choices, required=False)
    is_active = StrictBooleanField(required=False)
    responsible = UserNameField(required=False)


class SuccessorSerializer(StrictSerializer):
    to = UserNameField(help_text="Who will own the tenant.")


class InvitationCreateSerializer(StrictSerializer):
    shown = tuple(InvitationSerializer.Meta.fields)

    email = EmailField()
    role = serializers.ChoiceField(Role.choices, default=Role.VIEWER)


class AcceptSerializer(StrictSerializer):
    """What whoever was invited gives: the link's token, and the name and password that they choose."""

    shown = tuple(JoinedSerializer().fields)

    token = StrictCharField(max_length=MAX_TOKEN_CHARS, help_text="What follows `/accounts/invitation/` in the link.")
    username = UserNameField()
    password = PasswordField()


class GrantSerializer(StrictSerializer):
    shown = ("user", "user_id", "model", "updated_at", "url")

    actions = serializers.ListField(
        child=serializers.ChoiceField([(action.value, action.value) for action in GRANTABLE]), min_length=1, max_length=len(GRANTABLE)
    )  # fmt: skip


class PolicySerializer(StrictSerializer):
    shown = ("model",)

    restricted = StrictBooleanField(required=False, help_text="Only who was granted something sees it; admins always.")
    four_eyes = StrictBooleanField(required=False, help_text="A second person approves each promotion.")
