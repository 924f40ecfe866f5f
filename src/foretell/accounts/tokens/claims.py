"""What an access token says."""

from typing import Annotated, Any

import msgspec

from foretell.accounts.roles import Scope

ALGORITHM = "EdDSA"
TYPE = "at+jwt"  # RFC 9068: an access token cannot be taken for a token of another kind
MAX_ACCESS_S = 3_600  # no access token is valid for longer, whatever the setting was when it was made

UUIDText = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that Foretell itself reads, of a token whose signature, issuer, audience and times hold.

    sub : the person's id.
    sid : the family, which is the sign-in that it came of (`models.TokenFamily`).
    gen : the person's `token_generation` then; a later one ends the token.
    role : for other services; Foretell asks what the role is now.
    scope : separated by spaces, as in OAuth.
    """

    sub: UUIDText
    sid: UUIDText
    jti: UUIDText
    gen: Annotated[int, msgspec.Meta(ge=0)]
    role: str
    scope: str
    iat: Seconds
    nbf: Seconds
    exp: Seconds

    @property
    def id(self) -> str:
        """What the audit calls it: the sign-in that it came of."""
        return self.sid

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split(" ")) & frozenset(Scope.values)


#: Nobody else's claims may stand in their place.
RESERVED = frozenset({*AccessToken.__struct_fields__, "iss", "aud"})


def read_claims(payload: dict[str, Any]) -> AccessToken | None:
    """Return the claims; None where one is missing, or of another type."""
    try:
        return msgspec.convert(payload, AccessToken)
    except msgspec.ValidationError:
        return None
