"""Whether an access token holds at this moment: its signature and times, and that whose it is may still come in with it."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import F

from foretell.accounts.models import User
from foretell.accounts.tokens.claims import AccessToken
from foretell.accounts.tokens.issuing import audience, issuer
from foretell.accounts.tokens.models import TokenFamily
from foretell.accounts.tokens.signing_keys import published_keys, to_public_key
from foretell.accounts.tokens.verifying import PublicKeyOf, verified


def verify_access(token: str, *, now: datetime) -> tuple[AccessToken, User] | None:
    """Return what an access token says and whose it is; None where it is not valid, or has ended."""
    claims = signed_claims(token, now=now)
    if claims is None:
        return None
    family = (
        TokenFamily.objects.select_related("user")
        .filter(pk=claims.sid, user_id=claims.sub, generation=claims.gen, revoked_at=None)
        .filter(user__is_active=True, user__token_generation=F("generation"))
        .first()
    )
    return None if family is None else (claims, family.user)


def signed_claims(token: str, *, now: datetime) -> AccessToken | None:
    """Return what an access token of the tenant at hand says, whether or not it was ended meanwhile."""
    return verified(
        token, public_key_of=_public_key_of(now), issuer=issuer(), audience=audience(), now_s=now.timestamp()
    )


def _public_key_of(now: datetime) -> PublicKeyOf:
    def find(kid: str) -> Ed25519PublicKey | None:
        found = next((key for key in published_keys(now=now) if key.kid == kid), None)
        return None if found is None else to_public_key(found.public_key)

    return find
