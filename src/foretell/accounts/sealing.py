"""Secrets that have to be read again, such as those of second factors, are kept sealed: the database alone tells none of them.

Security: the key of the seal is made of SECRET_KEY, the tenant and the purpose, so that a row that was copied into another tenant's
schema, or a text that was put in another's place, does not open there.
"""

import base64
import hmac
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from foretell.core.tenancy import current_tenant


def sealed(text: str, *, purpose: str) -> str:
    return _fernet(purpose).encrypt(text.encode()).decode()


def opened(content: str, *, purpose: str) -> str | None:
    """Return what was sealed; None where it cannot be opened any more, since SECRET_KEY was changed meanwhile."""
    try:
        return _fernet(purpose).decrypt(content.encode()).decode()
    except InvalidToken:
        return None


def _fernet(purpose: str) -> Fernet:
    installation = sha256(b"foretell secrets of accounts\0" + settings.SECRET_KEY.encode()).digest()
    message = f"{current_tenant().id}\0{purpose}".encode()
    return Fernet(base64.urlsafe_b64encode(hmac.new(installation, message, sha256).digest()))
