"""How people, keys and invitations look from outside."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell import keys
from foretell.accounts.flows.joining import sign_up_mode
from foretell.accounts.invitations import is_valid
from foretell.accounts.models import APIKey, Invitation, SignUp, User
from foretell.accounts.tokens.claims import AccessToken


class MeSerializer(serializers.Serializer[User]):
    """Who the credential belongs to, and what it may be used for."""

    id = serializers.UUIDField(read_only=True)
    username = serializers.CharField(read_only=True)
    role = serializers.CharField(read_only=True)
    email = serializers.CharField(read_only=True, help_text="Empty, where there is none: a service account's.")
    pending_email = serializers.CharField(
        read_only=True,
        help_text="The address that you asked for, until you enter the code that was sent there; else empty.",
    )
    kind = serializers.SerializerMethodField()
    tenant = serializers.SerializerMethodField()
    key = serializers.SerializerMethodField()
    token = serializers.SerializerMethodField()

    def get_kind(self, user: User) -> str:
        return kind_of(user)

    def get_tenant(self, user: User) -> str:
        return str(self.context["request"].tenant.name)

    def get_key(self, user: User) -> dict[str, Any] | None:
        key = self.context["request"].auth
        if not isinstance(key, APIKey):
            return None
        return {
            "id": key.key_id,
            "name": key.name,
            "scopes": key.scopes,
            "models": key.model_names,
            "expires_at": key.expires_at,
        }

    def get_token(self, user: User) -> dict[str, Any] | None:
        token = self.context["request"].auth
        if not isinstance(token, AccessToken):
            return None
        return {"scopes": sorted(token.scopes), "expires_at": datetime.fromtimestamp(token.exp, tz=UTC)}


class JoinedSerializer(serializers.ModelSerializer[User]):
    """Who has just come by an invitation."""

    class Meta:
        model = User
        fields = ["id", "username", "email", "role", "created_at"]
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer[User]):
    """Somebody of the tenant: a person, or a service account."""

    email = serializers.CharField(read_only=True, help_text="Empty, where there is none: a service account's.")
    kind = serializers.SerializerMethodField()
    responsible = serializers.CharField(source="responsible.username", read_only=True, default=None, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "role",
            "kind",
            "is_active",
            "responsible",
            "last_login",
            "created_at",
            "url",
        ]
        read_only_fields = fields

    def get_kind(self, user: User) -> str:
        return kind_of(user)

    def get_url(self, user: User) -> str:
        return reverse("accounts:user", args=[user.pk], request=self.context["request"])


class KeySerializer(serializers.ModelSerializer[APIKey]):
    """A key, without its secret."""

    id = serializers.CharField(source="key_id", read_only=True)
    prefix = serializers.SerializerMethodField(help_text="What the key begins with.")
    user = serializers.CharField(source="user.username", read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    models = serializers.ListField(
        source="model_names", child=serializers.CharField(), read_only=True, allow_null=True, help_text="null: all."
    )
    state = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", read_only=True, default=None, allow_null=True)
    rolled_to = serializers.CharField(source="rolled_to_id", read_only=True, allow_null=True)
    rolled_from = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = APIKey
        fields = [
            "id", "prefix", "name", "user", "user_id", "scopes", "models", "state", "last_used_at", "expires_at", "revoked_at",
            "rolled_to", "rolled_from", "created_by", "created_at", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_prefix(self, key: APIKey) -> str:
        return f"{keys.PREFIX}{key.key_id}_"

    def get_state(self, key: APIKey) -> str:
        return state_of(key, timezone.now())

    def get_rolled_from(self, key: APIKey) -> str | None:
        before = getattr(key, "rolled_from", None)
        return before.key_id if before is not None else None

    def get_url(self, key: APIKey) -> str:
        return reverse("accounts:key", args=[key.key_id], request=self.context["request"])


class NewKeySerializer(KeySerializer):
    """A key as it is shown once: with what nobody can show again."""

    api_key = serializers.CharField(read_only=True)

    class Meta(KeySerializer.Meta):
        fields = ["api_key", *KeySerializer.Meta.fields]
        read_only_fields = fields


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """Who was asked to come, as what, and what became of it."""

    state = serializers.SerializerMethodField()
    invited_by = serializers.CharField(source="invited_by.username", read_only=True, default=None, allow_null=True)
    accepted_by = serializers.CharField(source="accepted_by.username", read_only=True, default=None, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = [
            "id", "email", "role", "state", "invited_by", "expires_at", "accepted_at", "accepted_by", "revoked_at", "created_at", "url"
        ]  # fmt: skip
        read_only_fields = fields

    @cached_property
    def _mode(self) -> SignUp:
        """Optimization: a page asks once, not for each of its rows."""
        return sign_up_mode()

    def get_state(self, invitation: Invitation) -> str:
        return shown_state(invitation, timezone.now(), mode=self._mode)

    def get_url(self, invitation: Invitation) -> str:
        return reverse("accounts:invitation", args=[invitation.pk], request=self.context["request"])


class NewInvitationSerializer(InvitationSerializer):
    """An invitation as whoever sent it sees it once: with the link that the mail has."""

    link = serializers.CharField(read_only=True)

    class Meta(InvitationSerializer.Meta):
        fields = ["link", *InvitationSerializer.Meta.fields]
        read_only_fields = fields


def kind_of(user: User) -> str:
    return "person" if user.is_person else "service"


def state_of(key: APIKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_usable(now):
        return "expired"
    return "valid" if key.rolled_to_id is None else "rolled"


def shown_state(invitation: Invitation, now: datetime, *, mode: SignUp) -> str:
    """Return the state; `void` where whoever sent it may not invite to that role any more."""
    state = invitation.state(now)
    return "void" if state == "open" and not is_valid(invitation, now=now, mode=mode) else state
