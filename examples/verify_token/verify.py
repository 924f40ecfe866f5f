"""Verify Foretell's access tokens in another service: with the tenant's public keys alone. Needs `pip install "pyjwt[crypto]"`.

python verify.py JWKS_URL ISSUER AUDIENCE < token
"""

import json
import sys
from typing import Any

import jwt

REQUIRED = ["iss", "aud", "sub", "exp", "iat", "nbf", "jti"]


def verified(token: str, *, jwks: jwt.PyJWKClient, issuer: str, audience: str) -> dict[str, Any]:
    """Return what the token says; raises jwt.PyJWTError for one that is not valid here."""
    key = jwks.get_signing_key_from_jwt(token)  # asks again for a key that it has not seen yet
    found = jwt.decode_complete(
        token, key, algorithms=["EdDSA"], issuer=issuer, audience=audience, options={"require": REQUIRED}
    )
    if found["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("This is no access token.")
    claims: dict[str, Any] = found["payload"]
    return claims


if __name__ == "__main__":
    url, issuer, audience = sys.argv[1:]
    try:
        claims = verified(sys.stdin.read().strip(), jwks=jwt.PyJWKClient(url), issuer=issuer, audience=audience)
    except jwt.PyJWTError as err:
        sys.exit(f"refused: {err}")
    print(json.dumps(claims))
