"""A sign-up that nobody verified keeps nobody out whose address it is."""

import httpx
import pytest
from django.utils import timezone

from foretell.accounts import invitations
from foretell.accounts.errors import AccountExists
from foretell.accounts.flows.models import PendingSignUp
from foretell.accounts.invitations import accept_invitation, invite, token_of
from foretell.accounts.models import User
from tests.accounts.flows.walking import PASSPHRASE, Headless, code_in, mails, opened
from tests.cast import PASSWORD, House
from tests.http import HttpFor

ZOE = "zoe@acme.example"


@pytest.fixture
def stranger(acme: House, http_for: HttpFor) -> Headless:
    """Somebody who signs up with Zoe's address."""
    opened(acme)
    return Headless(http_for(None))


def signed_up(stranger: Headless, name: str = "eve") -> None:
    assert stranger.post("auth/signup", username=name, email=ZOE, password=PASSPHRASE).status_code == 401


def invited(house: House) -> str:
    with house.inside():
        return token_of(invite(email="Zoe@acme.example", role="editor", now=timezone.now()))


def accepted(house: House, token: str, *, username: str = "zoe") -> User:
    with house.inside():
        return accept_invitation(token=token, username=username, password=PASSWORD, now=timezone.now())


def test_whose_address_it_is_can_be_invited_and_comes(acme: House, stranger: Headless, alice: httpx.Client) -> None:
    signed_up(stranger, "zoe")

    asked = alice.post("/api/v1/invitations/", json={"email": ZOE, "role": "editor"})
    zoe = accepted(acme, asked.json()["link"].rstrip("/").rpartition("/")[2])

    assert (asked.status_code, zoe.role, zoe.check_password(PASSWORD)) == (201, "editor", True)
    with acme.inside():
        assert list(User.objects.members().filter(email_key=ZOE)) == [zoe]
        assert not PendingSignUp.objects.exists()


def test_nor_does_a_sign_up_after_the_invitation_keep_them_out(acme: House, stranger: Headless) -> None:
    token = invited(acme)
    signed_up(stranger)
    code = code_in(mails(acme)[-1])

    assert accepted(acme, token).role == "editor"

    assert stranger.post("auth/email/verify", key=code).status_code == 400, "its code verifies nothing any more"
    assert stranger.get("auth/session").status_code == 401


def test_control_without_giving_way_it_would(acme: House, stranger: Headless, monkeypatch: pytest.MonkeyPatch) -> None:
    token = invited(acme)
    signed_up(stranger)
    monkeypatch.setattr(invitations, "give_way", lambda **_: None)

    with pytest.raises(AccountExists):
        accepted(acme, token)


def test_who_verified_their_address_is_a_member_and_stays(acme: House, stranger: Headless) -> None:
    token = invited(acme)
    signed_up(stranger)
    assert stranger.post("auth/email/verify", key=code_in(mails(acme)[-1])).status_code == 200

    with pytest.raises(AccountExists):
        accepted(acme, token)
    with pytest.raises(AccountExists):
        invited(acme)
    assert stranger.get("auth/session").status_code == 200
