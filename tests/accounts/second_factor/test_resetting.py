"""An admin, or an operator, takes away a second factor that somebody has lost; and who is removed leaves none."""

import json
from typing import Any

import httpx
import pytest
from allauth.mfa.models import Authenticator
from django.db.models import Max
from django.utils import timezone

from foretell.accounts.members import remove_user
from foretell.accounts.services import create_key, create_user
from foretell.accounts.tokens.services import sign_in as tokens_for
from foretell.audit.models import Entry
from foretell.cli import app as cli
from tests.accounts.second_factor.conftest import App
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import send, text_of


def address(house: House, name: str) -> str:
    return f"/api/v1/users/{house.user(name).pk}/second-factor/"


def has_one(house: House, name: str) -> bool:
    with house.inside():
        return bool(Authenticator.objects.filter(user=house.user(name)).exists())


def asks_by_password(http_for: HttpFor) -> int:
    client = http_for(None, tenant="acme")
    return client.get("/api/v1/me/", auth=httpx.BasicAuth("bob", PASSWORD)).status_code


def test_an_admin_takes_it_away_and_the_password_is_enough_again(
    acme: House, app: App, codes: list[str], http_for: HttpFor
) -> None:
    assert asks_by_password(http_for) == 403

    assert http_for("adam").delete(address(acme, "bob")).status_code == 204

    assert not has_one(acme, "bob")
    assert asks_by_password(http_for) == 200


def test_it_is_written_down_with_who_did_it(acme: House, app: App, http_for: HttpFor) -> None:
    with acme.inside():
        start = Entry.objects.aggregate(at=Max("position"))["at"] or 0

    http_for("adam").delete(address(acme, "bob"))

    with acme.inside():
        rows = list(Entry.objects.filter(position__gt=start).order_by("position"))
    assert [row.action for row in rows] == ["mfa.deactivated", "token.all_revoked", "mfa.reset"]
    assert {(row.actor_name, row.target_name) for row in rows} == {("adam", "bob")}
    assert app.secret not in "".join(f"{row.before}{row.after}" for row in rows)


def test_sessions_and_tokens_end_with_it(
    acme: House,
    signed_in: SignedIn,
    http_for: HttpFor,
    request: pytest.FixtureRequest,
) -> None:
    browser = signed_in("bob")
    with acme.inside():
        access = tokens_for(user=acme.user("bob"), now=timezone.now()).access
    request.getfixturevalue("app")
    program = http_for(None, tenant="acme")
    program.headers["Authorization"] = f"Bearer {access}"
    assert (browser.get("/").status_code, program.get("/api/v1/me/").status_code) == (200, 200)

    http_for("adam").delete(address(acme, "bob"))

    assert (browser.get("/").status_code, program.get("/api/v1/me/").status_code) == (302, 401)


@pytest.mark.parametrize("person", ["bob", "erin"])
def test_nobody_below_an_admin_does(acme: House, app: App, http_for: HttpFor, person: str) -> None:
    assert http_for(person).delete(address(acme, "bob")).status_code == 403
    assert has_one(acme, "bob")


def test_nobody_takes_their_own_or_one_of_a_role_above(acme: House, app: App, http_for: HttpFor) -> None:
    with acme.inside():
        for name in ("adam", "alice"):
            Authenticator.objects.create(user=acme.user(name), type="totp", data={"secret": "x"})

    assert http_for("adam").delete(address(acme, "adam")).status_code == 403
    assert http_for("adam").delete(address(acme, "alice")).status_code == 403
    assert http_for("alice").delete(address(acme, "adam")).status_code == 204


def test_who_has_none_has_nothing_taken_away(acme: House, http_for: HttpFor) -> None:
    answer = http_for("adam").delete(address(acme, "erin"))

    assert (answer.status_code, answer.json()["code"]) == (409, "no_second_factor")


def test_an_admin_does_it_on_the_members_page(acme: House, app: App, signed_in: SignedIn) -> None:
    page = f"/settings/members/{acme.user('bob').pk}/"
    adam = signed_in("adam")
    assert "Take it away" in text_of(adam.get(page))

    assert send(adam, page, {"do": "reset-mfa"}).headers["location"] == page

    assert not has_one(acme, "bob")
    assert "Take it away" not in text_of(adam.get(page))


def test_an_operator_does_it_at_the_command_line(
    acme: House, app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> Any:
        monkeypatch.setattr("sys.argv", ["foretell", "user", "reset-mfa", "bob", "--tenant", "acme", "--json"])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        return caught.value.code

    assert not run()
    assert json.loads(capsys.readouterr().out) == {"username": "bob"}
    assert not has_one(acme, "bob")
    assert run() == 1
    assert "no second factor" in capsys.readouterr().err


def test_who_is_removed_leaves_no_second_factor_behind(acme: House) -> None:
    with acme.inside():
        user = create_user(username="temp", email="temp@acme.example", password=PASSWORD)
        create_key(user=user, name="k", scopes=["predict"])
        Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})

        remove_user(user=user, now=timezone.now())

        assert not Authenticator.objects.exists()
