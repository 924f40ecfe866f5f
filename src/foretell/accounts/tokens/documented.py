"""What the OpenAPI document says of the token addresses."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from foretell.accounts.tokens.serializers import TokenPairSerializer, VerifiedSerializer

_REFUSED = OpenApiResponse(description="Not known here, or not any more. All reasons read alike.")
_INVALID = OpenApiResponse(description="A field is missing, unknown, or no text.")
_LIMITED = OpenApiResponse(description="Too many sign-ins have failed, or too many requests came; see Retry-After.")
_EXAMPLE = OpenApiExample(
    "tokens",
    value={
        "access": "eyJhbGciOiJFZERTQSIs…",
        "refresh": "ftr_AZ1v…",
        "token_type": "Bearer",
        "scope": "admin",
        "expires_in": 300,
        "refresh_expires_in": 1209600,
    },
    response_only=True,
)

PAIR: dict[int, Any] = {
    200: OpenApiResponse(TokenPairSerializer, description="The tokens.", examples=[_EXAMPLE]),
    400: _INVALID, 401: _REFUSED, 429: _LIMITED,
}  # fmt: skip
VERIFIED: dict[int, Any] = {
    200: OpenApiResponse(VerifiedSerializer, description="It is valid."), 400: _INVALID, 401: _REFUSED,
}  # fmt: skip
REVOKED: dict[int, Any] = {200: OpenApiResponse(description="It is not valid any more."), 400: _INVALID}
