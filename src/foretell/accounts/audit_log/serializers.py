from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell.audit.models import Entry
from foretell.core.openapi.fields import ObjectOrNullField


class TargetSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class ActorSerializer(serializers.Serializer[Any]):
    """Who it was, as they were called then."""

    id = serializers.CharField()
    name = serializers.CharField()


class CredentialSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    id = serializers.CharField()


class AuditEntrySerializer(serializers.ModelSerializer[Entry]):
    """One change: who changed what, from what to what, when, and how they came in."""

    url = serializers.SerializerMethodField()
    target = serializers.SerializerMethodField()
    actor = serializers.SerializerMethodField()
    credential = serializers.SerializerMethodField()
    before = ObjectOrNullField(read_only=True)
    after = ObjectOrNullField(read_only=True)

    class Meta:
        model = Entry
        fields = (
            "url", "id", "position", "at", "action", "target", "before", "after", "actor", "credential", "face", "address",
            "request_id", "content_digest", "seal", "previous_digest", "digest",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_url(self, row: Entry) -> str:
        return reverse("audit:entry", args=[row.pk], request=self.context.get("request"))

    @extend_schema_field(TargetSerializer)
    def get_target(self, row: Entry) -> dict[str, str]:
        return {"kind": row.target_kind, "id": row.target_id, "name": row.target_name}

    @extend_schema_field(ActorSerializer)
    def get_actor(self, row: Entry) -> dict[str, str]:
        return {"id": row.actor_id, "name": row.actor_name}

    @extend_schema_field(CredentialSerializer)
    def get_credential(self, row: Entry) -> dict[str, str]:
        return {"kind": row.credential, "id": row.credential_id}
