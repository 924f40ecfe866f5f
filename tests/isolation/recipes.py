"""How routes are called of which nobody else says it.

What the matrix of permissions asks, and what the audit's recipes send, is asked here as well; so a new route needs no line here once it
has its row there. What is called in another way has a line in `RECIPES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests import permission_matrix as matrix
from tests.admin import addresses

WAY_OUT = (
    "Say how it is called: with a Row in MATRIX of tests/permission_matrix.py, or, for what is called in another way, with a line in RECIPES "
    "of tests/isolation/recipes.py, such as\n"
    '    ("POST", "accounts:keys"): json("/api/v1/keys/", name="k", scopes=["predict"]),'
)


@dataclass(frozen=True)
class Recipe:
    """An address, with ids that both twins have (tests/isolation/twins.py), and what is sent there: httpx's json, data, files, content."""

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)


def json(path: str = "", **fields: Any) -> Recipe:
    return Recipe(path, {"json": fields})


def form(path: str = "", **fields: Any) -> Recipe:
    """Say what a page's form sends; without a path, to where the matrix of permissions has the page."""
    return Recipe(path, {"data": fields})


NEWCOMER = {"username": "newcomer", "password": "a long enough passphrase"}
CODE = {"code": "000000"}
# What neither the matrix of permissions nor the audit's recipes say.
RECIPES: dict[tuple[str, str], Recipe] = {
    ("POST", "accounts:invitation-accept"): json(token="a:b:c", **NEWCOMER),
    ("POST", "web:model"): form(**{"input:a": "1", "input:b": "2"}),
    ("POST", "web:login"): form(username="bob", password="wrong"),
    ("POST", "web:logout"): form(),
    ("POST", "web:invitation"): form(**NEWCOMER),
    ("POST", "account_login"): form(login="bob", password="wrong"),
    ("POST", "account_logout"): form(),
    ("GET", "account_reauthenticate"): Recipe("/accounts/reauthenticate/"),
    ("POST", "account_reauthenticate"): form("/accounts/reauthenticate/", password="wrong"),
    ("POST", "mfa_reauthenticate"): form(**CODE),
    ("POST", "mfa_reauthenticate_webauthn"): form(credential="{}"),
    ("POST", "mfa_authenticate"): form(**CODE),
    ("POST", "mfa_give_up"): form(),
    ("POST", "mfa_activate_totp"): form(**CODE),
    ("POST", "mfa_deactivate_totp"): form(),
    ("POST", "mfa_generate_recovery_codes"): form(),
    ("POST", "mfa_add_webauthn"): form(name="k", credential="{}"),
    ("POST", "mfa_edit_webauthn"): form(name="k"),
    ("POST", "mfa_remove_webauthn"): form(),
    ("POST", "mfa_login_webauthn"): form(credential="{}"),
    ("POST", "headless:login"): json(username="bob", password="wrong"),
    ("POST", "headless:signup"): json(email="new@x.example", **NEWCOMER),
    ("POST", "headless:verify-email"): json(key="ABCDEF"),
    ("POST", "headless:resend-code"): json(),
    ("POST", "headless:request-reset"): json(email="new@x.example"),
    ("POST", "headless:reset-password"): json(key="0-made-up", password="a long enough passphrase"),
    ("POST", "headless:reauthenticate"): json(password="wrong"),
    ("POST", "headless:change-password"): json(current_password="wrong", new_password="a long enough passphrase"),
    ("POST", "web:session-end"): form(),
    ("POST", "headless:mfa-authenticate"): json(**CODE),
    ("POST", "headless:mfa-reauthenticate"): json(**CODE),
    ("POST", "headless:passkey-authenticate"): json(credential={"id": "k"}),
    ("POST", "headless:passkey-reauthenticate"): json(credential={"id": "k"}),
    ("POST", "headless:passkey-login"): json(credential={"id": "k"}),
    ("POST", "headless:totp"): json(**CODE),
    ("POST", "headless:recovery-codes"): json(),
    ("POST", "headless:passkeys"): json(name="k", credential={"id": "k"}),
    ("PUT", "headless:passkeys"): json(id=1, name="k"),
    ("DELETE", "headless:passkeys"): json(authenticators=[1]),
    ("DELETE", "headless:totp"): json(),
    ("DELETE", "headless:session"): json(),
    ("DELETE", "headless:sessions"): json(sessions=[1]),
    ("GET", "headless:reset-password"): Recipe("", {"headers": {"X-Password-Reset-Key": "0-made-up"}}),
    ("POST", "web:identity-provider"): form(name="k", issuer="https://id.example", client_id="k", joins_as=""),
    ("POST", "identity_disconnect"): form(),
    ("POST", "openid_connect_login"): form(),
    ("POST", "openid_connect_callback"): form(),
    ("POST", "account_signup"): form(email="new@x.example", **NEWCOMER),
    ("POST", "account_email_verification_sent"): form(code="ABCDEF"),
    ("POST", "account_reset_password"): form(email="new@x.example"),
    ("POST", "account_reset_password_from_key"): form(
        password1="a long enough passphrase", password2="a long enough passphrase"
    ),
} | {("POST", route): form(**change.fields) for route, change in addresses.CHANGES.items()}
#: Where the matrix of permissions has what it holds to its door alone.
ADDRESSES: dict[str, str] = {
    **matrix.PAGES, **matrix.STEPS, **matrix.BY_LINK, **matrix.OPEN_TO_ALL, **matrix.POST_ONLY, **matrix.COMING,
    **{route: path for route, (_, path, _) in matrix.FLOWS.items()},
}  # fmt: skip
