"""Making access tokens, and what they are made for: this installation, and one tenant of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from django.conf import settings

from foretell.accounts.models import User
from foretell.accounts.tokens.claims import ALGORITHM, TYPE, AccessToken
from foretell.accounts.tokens.custom_claims import InvalidClaims, custom_claims
from foretell.accounts.tokens.models import TokenFamily
from foretell.accounts.tokens.refresh_tokens import new_token
from foretell.accounts.tokens.signing_keys import signer
from foretell.core.tenancy import current_tenant
from foretell.credentials import MAX_CREDENTIAL_CHARS
from foretell.ids import uuid7_text


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in is answered with."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    scope: str
    expires_in: int  #: seconds until the access token is over
    refresh_expires_in: int


def issuer() -> str:
    """Return who signs, for every tenant of this installation."""
    return str(settings.TOKEN_ISSUER)


def audience() -> str:
    """Return whom tokens are for: the tenant at hand, by its id, which no change of its name or its addresses changes."""
    return str(current_tenant().id)


def new_pair(*, family: TokenFamily, user: User, scopes: Iterable[str], now: datetime) -> TokenPair:
    """Return a family's next refresh token, and an access token beside it."""
    ends_at = min(now + timedelta(seconds=settings.ACCESS_TOKEN_S), family.expires_at)
    claims = _claims(family=family, user=user, scope=" ".join(sorted(scopes)), now=now, ends_at=ends_at)
    return TokenPair(
        access=_signed(claims, user=user, now=now),
        refresh=new_token(family_id=family.id, number=family.number, secret=bytes(family.secret)),
        scope=claims.scope,
        expires_in=claims.exp - claims.iat,
        refresh_expires_in=int((family.expires_at - now).total_seconds()),
    )


def _claims(*, family: TokenFamily, user: User, scope: str, now: datetime, ends_at: datetime) -> AccessToken:
    since, until = int(now.timestamp()), int(ends_at.timestamp())
    return AccessToken(
        sub=str(user.pk), sid=str(family.id), jti=uuid7_text(), gen=family.generation, role=user.role, scope=scope,
        iat=since, nbf=since, exp=until,
    )  # fmt: skip


def _signed(claims: AccessToken, *, user: User, now: datetime) -> str:
    key = signer(now=now)
    payload: dict[str, Any] = {
        **custom_claims(user), **msgspec.structs.asdict(claims), "iss": issuer(), "aud": audience(),
    }  # fmt: skip
    token = jwt.encode(payload, key.private_key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": key.kid})
    if len(token) > MAX_CREDENTIAL_CHARS:
        raise InvalidClaims(
            f"With what {settings.TOKEN_CLAIMS} adds, an access token has {len(token):,} characters; at most "
            f"{MAX_CREDENTIAL_CHARS:,} are read of a credential."
        )
    return token
