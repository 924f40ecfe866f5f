"""What allauth.mfa asks of us: how secrets are kept, and how a tenant is called in an authenticator app and by a passkey."""

import base64
import secrets
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter

from foretell.accounts.sealing import opened, sealed
from foretell.core.tenancy import current_tenant

PURPOSE = "second factor"
SECRET_BYTES = 20


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def encrypt(self, text: str) -> str:
        return sealed(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret; where it cannot be opened any more, one that nobody has.

        So no code fits, and the way out is the one for a lost second factor, in place of an error on every page.
        """
        found = opened(encrypted_text, purpose=PURPOSE)
        return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode() if found is None else found

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def _get_site_name(self) -> str:
        return f"Foretell {current_tenant().name}"
