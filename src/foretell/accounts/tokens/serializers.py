"""What token requests and answers look like."""

from typing import Any

from rest_framework import serializers

from foretell.core.strict import StrictCharField, StrictSerializer
from foretell.credentials import MAX_CREDENTIAL_CHARS

MAX_NAME_CHARS = 320  # an e-mail address
MAX_PASSWORD_CHARS = 1_024
MAX_CODE_CHARS = 40


class ScopesField(StrictCharField):
    """Scopes with a space between, as in OAuth; fewer than all that one may."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, required=False, **options)


class SignInSerializer(StrictSerializer):
    username = StrictCharField(max_length=MAX_NAME_CHARS, help_text="A user name or an e-mail address.")
    password = StrictCharField(
        max_length=MAX_PASSWORD_CHARS, trim_whitespace=False, style={"input_type": "password"}
    )  # fmt: skip
    code = StrictCharField(
        max_length=MAX_CODE_CHARS, required=False, help_text="Of one's authenticator app, or a recovery code, where one has them."
    )  # fmt: skip
    scope = ScopesField(help_text="Fewer scopes than all that one may, with spaces between, such as `predict`.")


class RefreshSerializer(StrictSerializer):
    refresh = StrictCharField(max_length=MAX_CREDENTIAL_CHARS)
    scope = ScopesField(help_text="Fewer scopes than at the sign-in, for the new access token only.")


class AccessSerializer(StrictSerializer):
    token = StrictCharField(max_length=MAX_CREDENTIAL_CHARS, help_text="An access token.")


class AnyTokenSerializer(StrictSerializer):
    token = StrictCharField(max_length=MAX_CREDENTIAL_CHARS, help_text="A refresh token, or an access token.")


class TokenPairSerializer(serializers.Serializer[Any]):
    """An access token for `Authorization: Bearer`, and what the next one is got with."""

    access = serializers.CharField()
    refresh = serializers.CharField(help_text="Used once; the answer to that has the next one.")
    token_type = serializers.ChoiceField(choices=["Bearer"])
    scope = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token is over.")
    refresh_expires_in = serializers.IntegerField(help_text="Seconds until the refresh token is, if it is not used.")


class VerifiedSerializer(serializers.Serializer[Any]):
    """What a valid access token says, as it is at this moment."""

    username = serializers.CharField()
    role = serializers.CharField()
    scope = serializers.CharField()
    sub = serializers.UUIDField(help_text="The person's id.")
    aud = serializers.UUIDField(help_text="The tenant's id.")
    iss = serializers.CharField()
    exp = serializers.IntegerField(help_text="Seconds since 1970.")
