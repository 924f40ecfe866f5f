"""What the OpenAPI document says of the token addresses."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from foretell.accounts.tokens.serializers import TokenPairSerializer, VerifiedSerializer

REFUSED = OpenApiResponse(description="Not known here, or not any more. All reasons read alike.")
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
    401: REFUSED,
}  # fmt: skip
VERIFIED: dict[int, Any] = {
    200: OpenApiResponse(VerifiedSerializer, description="It is valid."), 401: REFUSED,
}  # fmt: skip
_NOTHING = {"type": "object", "maxProperties": 0, "example": {}}
REVOKED: dict[int, Any] = {200: OpenApiResponse(_NOTHING, description="It is not valid any more.")}

_JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "use": "sig",
    "alg": "EdDSA",
    "kid": "3f6b9d0e",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
_JWKS: dict[str, Any] = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object", "required": ["kty", "kid"]}}},
}


def add_jwks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the address of the public keys, which is no view of DRF's; a drf-spectacular post-processing hook."""
    content = {"schema": _JWKS, "examples": {"keys": {"value": {"keys": [_JWK]}}}}
    result["paths"]["/.well-known/jwks.json"] = {
        "get": {
            "operationId": "jwks_read",
            "summary": "The keys by which access tokens are verified",
            "description": "The keys by which access tokens are verified, as a JSON Web Key Set (RFC 7517).",
            "tags": ["token"],
            "security": [],
            "responses": {"200": {"description": "The keys.", "content": {"application/jwk-set+json": content}}},
        }
    }
    return result
