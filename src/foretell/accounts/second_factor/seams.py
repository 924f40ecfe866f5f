"""Where allauth has no setting for what we need, its pages and its headless API are led here. `close` is called once, at the start."""

from typing import Any

from allauth.account.internal.flows import reauthentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.db import transaction

from foretell.accounts.second_factor import again, passkeys
from foretell.accounts.second_factor.codes import verify_code

SENT_BY_DEVICES = (
    "parse_registration_response", "complete_registration", "parse_authentication_response", "complete_authentication",
    "extract_user_from_response",
)  # fmt: skip


def close() -> None:
    BaseAuthenticateForm.clean_code = _clean_code
    reauthentication.get_reauthentication_flows, reauthentication.did_recently_reauthenticate = (
        again.ways,
        again.did_recently,
    )
    webauthn.get_server = passkeys.server
    webauthn.begin_authentication = passkeys.limiting(webauthn.begin_authentication)
    for name in SENT_BY_DEVICES:
        setattr(webauthn, name, passkeys.refusing(getattr(webauthn, name)))
    Authenticator.save = transaction.atomic(Authenticator.save)  # the change and its row of the audit, or neither


def _clean_code(form: Any) -> str:
    """Check the code of a form, of a page or of the headless API; it says by `authenticator` what the code was of."""
    code: str = form.cleaned_data["code"]
    found = verify_code(user=form.user, code=code)
    if found is None:
        raise get_adapter().validation_error("incorrect_code")
    found.user, form.authenticator = form.user, found
    return code
