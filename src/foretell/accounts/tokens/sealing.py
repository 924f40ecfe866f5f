"""Private keys are kept sealed: the database alone signs nothing.

Security: the key of each seal is made of SECRET_KEY, the tenant and the signing key's own id, so that a row that was copied into
another tenant's schema, or under another id, does not open there.
"""

import base64
import hmac
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from foretell.core.tenancy import current_tenant


def sealed(private_key: Ed25519PrivateKey, *, kid: str) -> bytes:
    return _fernet(kid).encrypt(private_key.private_bytes_raw())


def opened(content: bytes, *, kid: str) -> Ed25519PrivateKey | None:
    """Return the private key; None where it cannot be opened any more, since SECRET_KEY was changed meanwhile."""
    try:
        return Ed25519PrivateKey.from_private_bytes(_fernet(kid).decrypt(content))
    except InvalidToken:
        return None


def derived(purpose: str) -> bytes:
    """Return the installation's key for one purpose of this room."""
    return sha256(b"foretell tokens\0" + purpose.encode() + b"\0" + settings.SECRET_KEY.encode()).digest()


def _fernet(kid: str) -> Fernet:
    message = f"{current_tenant().id}\0{kid}".encode()
    return Fernet(base64.urlsafe_b64encode(hmac.new(derived("signing keys"), message, sha256).digest()))
