"""Whom a passkey is for: one tenant's own host, and no other page.

Security: browsers let a page use the passkeys of a parent domain, and fido2's own check lets pages of subdomains through. A tenant may have
a domain below another tenant's. So the page's origin has to be exactly the one that was asked.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from django.core.exceptions import ValidationError
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity

from foretell.accounts.second_factor.limits import take_challenge


def server() -> Fido2Server:
    """Return what makes and checks the challenges of the request at hand."""
    origin = f"{context.request.scheme}://{context.request.get_host()}"
    party = PublicKeyCredentialRpEntity(**get_adapter().get_public_key_credential_rp_entity())
    return Fido2Server(party, verify_origin=lambda found: found == origin)


def limiting(begin: Callable[..., Any]) -> Callable[..., Any]:
    """Count what is begun by somebody who has shown nothing yet, on the page and over the headless API."""

    @wraps(begin)
    def begun(user: Any = None) -> Any:
        if user is None:
            take_challenge(context.request)
        return begin(user)

    return begun


def refusing(check: Callable[..., Any]) -> Callable[..., Any]:
    """Let whatever is wrong with what a device sent be told as a wrong code is: its parsers raise this and that for it."""

    @wraps(check)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return check(*args, **kwargs)
        except ValidationError:
            raise
        except Exception as err:  # of parsers of JSON, CBOR, COSE, X.509 and signatures, by whoever wants to
            raise get_adapter().validation_error("incorrect_code") from err

    return checked
