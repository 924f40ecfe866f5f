"""How people come to a tenant: said by its admins and by operators, and held to at every door."""

import json

import httpx
import pytest
from django.utils import timezone

from foretell.accounts.errors import InvitationOver
from foretell.accounts.flows.joining import JoiningClosed, set_sign_up, sign_up_mode
from foretell.accounts.invitations import accept_invitation, invite, token_of
from foretell.accounts.models import SignUp, SignUpPolicy
from tests.accounts.flows.walking import PASSPHRASE
from tests.cast import House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import send

POLICY = "/api/v1/sign-up/"


def test_it_is_by_invitation_until_somebody_says_otherwise(acme: House, globex: House, alice: httpx.Client) -> None:
    assert alice.get(POLICY).json() == {"mode": "invitation"}

    assert alice.put(POLICY, json={"mode": "open"}).json() == {"mode": "open"}

    with acme.inside():
        assert sign_up_mode() == SignUp.OPEN
    with globex.inside():
        assert sign_up_mode() == SignUp.INVITATION


def test_a_stale_if_match_changes_nothing(acme: House, alice: httpx.Client) -> None:
    etag = alice.get(POLICY).headers["ETag"]
    alice.put(POLICY, json={"mode": "open"})

    assert alice.put(POLICY, json={"mode": "closed"}, headers={"If-Match": etag}).status_code == 412
    assert alice.get(POLICY).json() == {"mode": "open"}


@pytest.mark.parametrize("body", [{}, {"mode": "ajar"}, {"mode": 1}, {"mode": "open", "role": "owner"}, {"mode": None}])
def test_what_is_no_mode_is_refused(acme: House, alice: httpx.Client, body: dict[str, object]) -> None:
    assert alice.put(POLICY, json=body).status_code == 400


def test_an_admin_says_so_on_a_page(acme: House, signed_in: SignedIn) -> None:
    send(signed_in("adam"), "/settings/sign-up/", {"mode": "closed"})

    with acme.inside():
        assert sign_up_mode() == SignUp.CLOSED


def test_where_it_is_closed_nobody_is_invited_and_no_link_lets_in(acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        token = token_of(invite(email="zoe@acme.example", now=timezone.now()))
        set_sign_up(mode=SignUp.CLOSED)
        with pytest.raises(JoiningClosed):
            invite(email="eve@acme.example", now=timezone.now())
        with pytest.raises(InvitationOver):
            accept_invitation(token=token, username="zoe", password=PASSPHRASE, now=timezone.now())
    assert http_for("alice").post("/api/v1/invitations/", json={"email": "e@acme.example"}).status_code == 409

    with acme.inside():
        set_sign_up(mode=SignUp.INVITATION)
        assert accept_invitation(token=token, username="zoe", password=PASSPHRASE, now=timezone.now()).username == "zoe"


def test_there_is_one_row_whoever_says_it(acme: House) -> None:
    with acme.inside():
        for mode in (SignUp.OPEN, SignUp.CLOSED, SignUp.CLOSED):
            set_sign_up(mode=mode)

        assert SignUpPolicy.objects.count() == 1


def test_an_operator_says_so_by_command(
    acme: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foretell.cli import app as cli

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["foretell", "tenant", "sign-up", "acme", *words, "--json"])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        return int(str(caught.value.code or 0))

    assert run("open") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "acme", "sign_up": "open"}
    assert run("ajar") != 0
    assert "expected one of open, invitation, closed" in capsys.readouterr().err
