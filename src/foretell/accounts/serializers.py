"""How people look from outside."""

from typing import Any

from rest_framework import serializers

from foretell.accounts.models import APIKey, User


class MeSerializer(serializers.Serializer[User]):
    """Who the credential belongs to, and what it may be used for."""

    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    role = serializers.CharField(read_only=True)
    tenant = serializers.SerializerMethodField()
    key = serializers.SerializerMethodField()

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
