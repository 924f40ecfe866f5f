"""Who has a second factor gets into the admin by both, as into every page."""

import httpx
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import send, sign_in


@pytest.fixture
def code(acme: House) -> str:
    """Give Adam an app, and return a recovery code of his."""
    with acme.inside():
        adam = acme.user("adam")
        TOTP.activate(adam, generate_totp_secret())
        return str(RecoveryCodes.activate(adam).generate_codes()[0])


def begun(http_for: HttpFor) -> httpx.Client:
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    assert sign_in(client, "adam", PASSWORD, next="/admin/").headers["Location"] == "/accounts/2fa/"
    return client


def test_the_password_alone_opens_no_page_of_the_admin(http_for: HttpFor, code: str) -> None:
    client = begun(http_for)

    for path in ("/admin/", "/admin/accounts/user/", "/admin/registry/alias/add/"):
        assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_the_second_step_leads_to_where_one_wanted_to_go(http_for: HttpFor, code: str) -> None:
    client = begun(http_for)

    answer = send(client, "/accounts/2fa/", {"code": code})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
