from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from foretell.accounts.identity_providers.models import JOINING_ROLES, IdentityProvider
from foretell.accounts.identity_providers.services import MAX_DOMAINS, get_provider, remove_provider, set_provider
from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.views.door import validated
from foretell.core.etags import check_absent, check_match, tagged
from foretell.core.openapi.headers import IF_MATCH, IF_NONE_MATCH
from foretell.core.strict import StrictCharField, StrictJSONParser, StrictSerializer

MAX_SECRET_CHARS = 500


class ProviderSerializer(serializers.ModelSerializer[IdentityProvider]):
    """An OpenID Connect provider that people of this tenant sign in by. Its secret is never shown."""

    url = serializers.SerializerMethodField()
    email_domains = serializers.ListField(child=serializers.CharField(), read_only=True)
    joins_as = serializers.ChoiceField(choices=JOINING_ROLES, allow_blank=True, read_only=True)
    callback_url = serializers.SerializerMethodField(help_text="What to register at the provider.")

    class Meta:
        model = IdentityProvider
        fields = [
            "url", "slug", "name", "issuer", "client_id", "email_domains", "joins_as", "callback_url", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, provider: IdentityProvider) -> str:
        return reverse("accounts:identity-provider", args=[provider.slug], request=self.context["request"])

    def get_callback_url(self, provider: IdentityProvider) -> str:
        return reverse("openid_connect_callback", args=[provider.slug], request=self.context["request"])


class ProviderChangeSerializer(StrictSerializer):
    """All of a provider but its slug; a secret that is not given stays as it is."""

    shown = ("url", "slug", "callback_url", "created_at", "updated_at")

    name = StrictCharField(max_length=40)
    issuer = StrictCharField(
        max_length=500, help_text="As the provider has it in its tokens, such as `https://accounts.google.com`."
    )
    client_id = StrictCharField(max_length=191)
    secret = StrictCharField(
        max_length=MAX_SECRET_CHARS, required=False, trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )  # fmt: skip
    email_domains = serializers.ListField(
        child=StrictCharField(max_length=253), max_length=MAX_DOMAINS, required=False, default=list,
        help_text="Whose addresses it may speak for; empty: any.",
    )  # fmt: skip
    joins_as = serializers.ChoiceField(
        choices=JOINING_ROLES, required=False, allow_blank=True, default="",
        help_text="The role of who comes by it and is not a member yet; empty: only who was invited, or where sign-up is open.",
    )  # fmt: skip


class ProvidersView(APIView):
    """The identity providers of the tenant: an owner's alone, since a provider can say that anybody is anybody."""

    required_actions = {"GET": Action.OWN}

    @extend_schema(operation_id="identity_providers_list", responses=ProviderSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = IdentityProvider.objects.all()
        return Response(ProviderSerializer(rows, many=True, context={"request": request}).data)


class ProviderView(APIView):
    """One of them."""

    required_actions = {"GET": Action.OWN, "PUT": Action.OWN, "DELETE": Action.OWN}
    parser_classes = [StrictJSONParser]

    @extend_schema(operation_id="identity_providers_read", parameters=[IF_NONE_MATCH], responses=ProviderSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return tagged(request, _shown(request, get_provider(slug)))

    @extend_schema(
        operation_id="identity_providers_set", parameters=[IF_MATCH], request=ProviderChangeSerializer, responses=ProviderSerializer
    )  # fmt: skip
    def put(self, request: Request, slug: str) -> Response:
        """Set a provider up, or replace what is known of it.

        With another issuer or client, who came by it before is not known by it any more.
        """
        fields = validated(ProviderChangeSerializer, request)
        with transaction.atomic():
            _hold(request, slug)
            made = set_provider(slug=slug, **fields, by=principal_of(request))
        return tagged(request, _shown(request, made))

    @extend_schema(operation_id="identity_providers_remove", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Let nobody in by it any more; who came by it keeps their account."""
        with transaction.atomic():
            _hold(request, slug)
            remove_provider(slug=slug, by=principal_of(request))
        return Response(status=204)


def _hold(request: Request, slug: str) -> None:
    """Race condition: the row is held, then compared with what the client read."""
    found = IdentityProvider.objects.select_for_update().filter(pk=slug).first()
    if found is None:
        check_absent(request)
    else:
        check_match(request, _shown(request, found))


def _shown(request: Request, provider: IdentityProvider) -> Any:
    return ProviderSerializer(provider, context={"request": request}).data
