"""Another e-mail address: asked for, and one's own once the code that was sent there is entered; until then nothing changes."""

from collections.abc import Callable

import httpx
import pytest
from django.utils import timezone

from foretell.accounts import people, services
from foretell.accounts.errors import AddressTaken, InvalidAccount
from foretell.accounts.flows import verifying
from foretell.accounts.flows.verifying import verify_email, vouch_for
from foretell.accounts.models import User
from foretell.accounts.permissions import Principal
from foretell.audit.models import Entry
from tests.accounts.flows.walking import PASSPHRASE, Headless, code_in, mails, opened, said
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import send, sign_in, text_of

OLD, NEW, ME = "temp@acme.example", "new@acme.example", "/api/v1/me/"
Asking = Callable[..., Headless]


@pytest.fixture
def temp(acme: House) -> User:
    with acme.inside():
        return services.create_user(username="temp", email=OLD, password=PASSWORD)


@pytest.fixture
def asking(temp: User, http_for: HttpFor) -> Asking:
    """Have somebody sign in, and ask for an address."""

    def asked(email: str = NEW, *, name: str = "temp") -> Headless:
        browser = Headless(http_for(None))
        assert browser.post("auth/login", username=name, password=PASSWORD).status_code == 200
        assert wish(browser, email).status_code == 200
        return browser

    return asked


def wish(browser: Headless, email: str) -> httpx.Response:
    return browser.ask("PATCH", "me/", email=email, current_password=PASSWORD)


def entered(browser: Headless, acme: House, *, which: int = -1) -> int:
    return browser.post("auth/email/verify", key=code_in(mails(acme)[which])).status_code


def addresses(acme: House, name: str = "temp") -> tuple[str, str]:
    with acme.inside():
        user = User.objects.get(username=name)
    return user.email, user.pending_email


def actions(acme: House, user: User) -> list[str]:
    with acme.inside():
        rows = Entry.objects.filter(target_id=str(user.pk), action__startswith="user.email")
        return list(rows.order_by("position").values_list("action", flat=True))


def entered_on_the_page(http_for: HttpFor, acme: House) -> None:
    """Sign in with a browser, have a code sent, and enter it."""
    here = http_for(None)
    here.headers["Accept"] = "text/html"
    sign_in(here, "temp", PASSWORD)
    asked = send(here, "/settings/account/", {"do": "verify"})
    send(here, asked.headers["location"], {"code": code_in(mails(acme)[-1])})


def test_the_one_of_before_is_theirs_until_the_code_is_entered(
    acme: House, temp: User, asking: Asking, http_for: HttpFor
) -> None:
    def statuses() -> list[int]:
        return [http_for(None).get(ME, auth=(name, PASSWORD)).status_code for name in (OLD, NEW)]

    browser = asking()
    shown = browser.get("me/").json()
    assert (shown["email"], shown["pending_email"]) == (OLD, NEW)
    assert statuses() == [200, 401]
    assert [mail.to for mail in mails(acme)] == [NEW], "a code"

    assert entered(browser, acme) == 200

    shown = browser.get("me/").json()
    assert (shown["email"], shown["pending_email"]) == (NEW, "")
    assert statuses() == [401, 200]
    assert mails(acme)[-1].to == OLD
    assert NEW in mails(acme)[-1].body
    assert actions(acme, temp) == ["user.email_change_requested", "user.email_changed"]


def test_on_the_page_it_is_shown_verified_and_stays_when_one_is_renamed(
    acme: House, temp: User, http_for: HttpFor
) -> None:
    here, details = http_for(None), {"do": "details", "current_password": PASSWORD}
    here.headers["Accept"] = "text/html"
    sign_in(here, "temp", PASSWORD)

    asked = send(here, "/settings/account/", {**details, "username": "temp", "email": NEW})
    renamed = send(here, "/settings/account/", {**details, "username": "tempo", "email": OLD})
    shown = text_of(here.get("/settings/account/"))
    done = send(here, asked.headers["location"], {"code": code_in(mails(acme)[-1])})

    assert (asked.headers["location"], renamed.headers["location"]) == (
        "/accounts/confirm-email/",
        "/settings/account/",
    )
    assert f"You asked for {NEW}. Until you enter the code that is sent there, your address is {OLD}." in shown
    assert done.headers["location"] == "/settings/account/"
    assert addresses(acme, "tempo") == (NEW, "")
    assert "You asked for" not in text_of(here.get("/settings/account/"))


def test_who_asked_by_a_key_gets_the_code_from_the_page(acme: House, temp: User, http_for: HttpFor) -> None:
    body = {"email": NEW, "current_password": PASSWORD}
    assert http_for(None).patch(ME, json=body, auth=("temp", PASSWORD)).json()["pending_email"] == NEW
    assert mails(acme) == [], "there is no session yet that a code could be entered in"

    entered_on_the_page(http_for, acme)

    assert addresses(acme) == (NEW, "")


@pytest.mark.parametrize("by", ["their own address", "the button"])
def test_it_can_be_taken_back(acme: House, temp: User, asking: Asking, http_for: HttpFor, by: str) -> None:
    browser = asking()
    if by == "the button":
        here = http_for(None)
        here.headers["Accept"] = "text/html"
        sign_in(here, "temp", PASSWORD)
        send(here, "/settings/account/", {"do": "withdraw"})
    else:
        assert wish(browser, OLD).json()["pending_email"] == ""

    assert entered(browser, acme) == 409, "its code verifies nothing any more"
    assert addresses(acme) == (OLD, "")
    assert actions(acme, temp) == ["user.email_change_requested", "user.email_change_withdrawn"]


def test_it_can_be_replaced_and_the_first_code_is_over(acme: House, asking: Asking) -> None:
    first = asking("typo@acme.example")
    asking(NEW)

    assert entered(first, acme, which=0) == 409
    assert addresses(acme) == (OLD, NEW)


def test_whoever_verifies_an_address_first_has_it(acme: House, asking: Asking) -> None:
    with acme.inside():
        services.create_user(username="other", email="other@acme.example", password=PASSWORD)
    slow, quick = asking(), asking(name="other")

    assert entered(quick, acme) == 200
    assert entered(slow, acme, which=0) == 400
    assert (addresses(acme), addresses(acme, "other")) == ((OLD, NEW), (NEW, ""))


def test_of_two_at_once_the_database_chooses(acme: House, asking: Asking) -> None:
    asking()
    with acme.inside():
        temp = User.objects.get(username="temp")
        services.create_user(
            username="other", email=NEW, password=PASSWORD
        )  # who is made has it: nothing was kept from them

        assert not verify_email(user=temp, email=NEW, now=timezone.now())
        with pytest.raises(AddressTaken):
            vouch_for(user=temp, now=timezone.now())
    assert addresses(acme) == (OLD, NEW)


def test_a_colleagues_address_is_answered_like_any_other(acme: House, temp: User, http_for: HttpFor) -> None:
    told = []
    for email in ("bob@acme.example", "nobody@acme.example"):
        browser = Headless(http_for(None))
        browser.post("auth/login", username="temp", password=PASSWORD)
        answer = wish(browser, email)
        again = browser.post("auth/email/verify/resend").status_code
        told.append((answer.status_code, str(said(answer)).replace(email, "…"), again))

    assert told[0] == told[1]
    assert [mail.to for mail in mails(acme)] == ["bob@acme.example"] * 2 + ["nobody@acme.example"] * 2


def taken_in_a_sign_up(acme: House, http_for: HttpFor) -> None:
    opened(acme)
    Headless(http_for(None)).post("auth/signup", username="eve", email=NEW, password=PASSPHRASE)


@pytest.mark.parametrize("face", ["page", "program"])
def test_a_sign_up_that_nobody_verified_keeps_it_from_nobody(
    acme: House, asking: Asking, http_for: HttpFor, face: str
) -> None:
    taken_in_a_sign_up(acme, http_for)
    browser = asking()

    if face == "page":
        entered_on_the_page(http_for, acme)
    else:
        assert entered(browser, acme) == 200

    assert addresses(acme) == (NEW, "")


def test_control_without_giving_way_it_would(
    acme: House, asking: Asking, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in_a_sign_up(acme, http_for)
    monkeypatch.setattr(verifying, "give_way", lambda **_: None)

    assert entered(asking(), acme) == 409
    assert addresses(acme) == (OLD, NEW)


def test_an_operator_takes_their_word_for_it(acme: House, asking: Asking) -> None:
    asking()

    with acme.inside():
        vouch_for(user=User.objects.get(username="temp"), now=timezone.now())

    assert addresses(acme) == (NEW, "")


def test_a_user_name_that_is_an_address_is_not_left_for_somebody_else(acme: House, temp: User) -> None:
    """Whoever has the address afterwards would sign in by it, and find this person."""
    with acme.inside():
        for username in (OLD, NEW):
            with pytest.raises(InvalidAccount, match="has to be one's own"):
                people.change_account(by=Principal(user=temp), username=username, email=NEW, current_password=PASSWORD)
    assert addresses(acme) == (OLD, "")


def test_nothing_of_it_is_left_of_who_is_removed(acme: House, asking: Asking) -> None:
    from foretell.accounts.members import remove_user

    asking()
    with acme.inside():
        remove_user(user=User.objects.get(username="temp"), now=timezone.now())

        assert not User.objects.exclude(pending_email="").exists()
