"""A new password by mail: also for who never had one; alike for everybody; once, in one tenant, for four hours."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import PropertyMock, patch

import httpx
import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from foretell.accounts.flows import limits, resetting
from foretell.accounts.flows.reset_tokens import ResetTokens, reset_tokens
from foretell.accounts.invitations import invite, token_of
from foretell.accounts.models import User
from foretell.accounts.tokens.services import sign_in as sign_in_for_tokens
from foretell.audit.models import Entry
from foretell.core.tenancy import use_public
from foretell.limits import Policy, Rate
from tests.accounts.flows.walking import Headless
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token, send, sign_in, text_of

ASK, NEW = "/accounts/password/reset/", "quite another passphrase"
LOCMEM = override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
ACME = "http://acme.localhost/"


@pytest.fixture
def bobby(acme: House) -> User:
    """Somebody whose password may change, which the cast's must not."""
    from foretell.accounts.services import create_user

    with acme.inside():
        return create_user(username="bobby", email="Bobby@acme.example", password=PASSWORD)


def link_for(house: House, user: User, *, base: str = ACME) -> str:
    with house.inside():
        return resetting.link_of(User.objects.get(pk=user.pk), base=base).removeprefix(base.rstrip("/"))


def queued() -> list[dict[str, Any]]:
    """Return what the worker is asked to send."""
    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [resetting.TASK])
        return [json.loads(row[0]) for row in cursor.fetchall()]


def sent(house: House, args: dict[str, Any]) -> list[Any]:
    """Do what the worker does, and return the mails."""
    from uuid import UUID

    with LOCMEM, house.inside():
        mail.outbox = []
        resetting.send(about=UUID(args["about"]), base=args["base"], now=timezone.now())
        return list(mail.outbox)


def reset_by(client: httpx.Client, link: str, password: str = NEW) -> httpx.Response:
    """Follow a link, and send the form behind it."""
    client.headers["Accept"] = "text/html"
    found = client.get(link)
    if found.status_code != 302:
        return found
    page = client.get(found.headers["location"])
    form = {"csrfmiddlewaretoken": csrf_token(page.text), "password": password}
    return client.post(found.headers["location"], data=form)


def test_whoever_asks_gets_a_link_and_a_new_password_by_it(acme: House, bobby: User, visitor: httpx.Client) -> None:
    asked = send(visitor, ASK, {"email": "bobby@ACME.example"})
    letter = sent(acme, queued()[-1])[0]
    link = next(line.strip() for line in letter.body.splitlines() if "/password/reset/key/" in line)

    done = reset_by(visitor, link.removeprefix("http://acme.localhost"))

    assert (asked.status_code, asked.headers["location"]) == (302, f"{ASK}done/")
    assert (letter.to, link.startswith(ACME)) == (["Bobby@acme.example"], True)
    assert (done.status_code, done.headers["location"]) == (302, f"{ASK}key/done/")
    assert sign_in(visitor, "bobby", PASSWORD).status_code == 200
    assert sign_in(visitor, "bobby", NEW).status_code == 302


def test_the_link_is_out_of_the_address_before_the_form_is_shown(
    acme: House, bobby: User, visitor: httpx.Client
) -> None:
    link = link_for(acme, bobby)

    moved = visitor.get(link).headers["location"]

    assert moved.endswith("-set-password/")
    assert visitor.get(moved).headers["Cache-Control"].find("no-store") >= 0


def test_asking_is_the_same_for_everybody(acme: House, visitor: httpx.Client, http_for: HttpFor) -> None:
    """What differs is done by the worker: the answer, the queries and the job are those of any address."""
    answers, before = [], len(queued())
    for email in ("bob@acme.example", "nobody@acme.example", "carol@globex.example"):
        answer = send(visitor, ASK, {"email": email})
        answers.append((answer.status_code, answer.headers["location"], answer.content))
    headless = [
        Headless(http_for(None)).post("auth/password/request", email=email) for email in ("bob@acme.example", "no@no.example")
    ]  # fmt: skip

    assert len(set(answers)) == 1
    assert {(answer.status_code, answer.text) for answer in headless} == {(200, headless[0].text)}
    jobs = queued()[before:]
    assert len(jobs) == 5
    assert {tuple(sorted(job)) for job in jobs} == {("about", "base", "tenant")}
    assert [len(sent(acme, job)) for job in jobs] == [1, 0, 0, 1, 0]


def test_who_is_invited_and_never_had_a_password_gets_the_invitation_again(acme: House, visitor: httpx.Client) -> None:
    with acme.inside():
        invitation = invite(email="zoe@acme.example", now=timezone.now())

    send(visitor, ASK, {"email": "Zoe@acme.example"})

    letter = sent(acme, queued()[-1])[0]
    with acme.inside():
        assert f"{ACME}accounts/invitation/{token_of(invitation)}/" in letter.body


def test_who_has_no_password_gets_one(acme: House, bobby: User, visitor: httpx.Client) -> None:
    with acme.inside():
        bobby.set_unusable_password()
        bobby.save()

    assert reset_by(visitor, link_for(acme, bobby)).headers["location"].endswith("/key/done/")
    assert sign_in(visitor, "bobby", NEW).status_code == 302


def test_it_ends_sessions_and_tokens_and_verifies_the_address(
    acme: House, bobby: User, visitor: httpx.Client, http_for: HttpFor, signed_in: SignedIn
) -> None:
    with acme.inside():
        pair = sign_in_for_tokens(user=bobby, now=timezone.now())
        User.objects.filter(pk=bobby.pk).update(email_verified_at=None)
    elsewhere = http_for(None)
    elsewhere.headers["Accept"] = "text/html"
    with acme.inside():
        User.objects.filter(pk=bobby.pk).update(email_verified_at=timezone.now())
    sign_in(elsewhere, "bobby", PASSWORD)
    assert elsewhere.get("/").status_code == 200
    with acme.inside():
        User.objects.filter(pk=bobby.pk).update(email_verified_at=None)

    reset_by(visitor, link_for(acme, bobby))

    assert elsewhere.get("/").status_code == 302
    assert http_for(None).post("/api/token/refresh/", json={"refresh": pair.refresh}).status_code == 401
    assert http_for(None).get("/api/v1/me/", headers={"Authorization": f"Bearer {pair.access}"}).status_code == 401
    with acme.inside():
        assert User.objects.get(pk=bobby.pk).email_verified_at is not None


def over_by(change: str, bobby: User) -> None:
    user = User.objects.filter(pk=bobby.pk)
    if change == "another password":
        one = user.get()
        one.set_password("in the meantime another one")
        one.save()
    elif change == "another address":
        one = user.get()
        one.email = "bobby2@acme.example"
        one.save()
    elif change == "an end of access":
        user.update(is_active=False)
    elif change == "an end of all sessions":
        user.update(token_generation=bobby.token_generation + 7)


@pytest.mark.parametrize(
    "change", ["another password", "another address", "an end of access", "an end of all sessions"]
)
def test_a_link_is_over_with(acme: House, bobby: User, visitor: httpx.Client, change: str) -> None:
    link = link_for(acme, bobby)
    with acme.inside():
        over_by(change, bobby)

    assert reset_by(visitor, link).status_code == 404


def test_a_link_is_good_once_and_for_four_hours(
    acme: House, bobby: User, visitor: httpx.Client, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_for(acme, bobby)
    reset_by(visitor, link)
    assert reset_by(http_for(None), link, "one more passphrase").status_code == 404

    late = link_for(acme, bobby)
    now = reset_tokens._now() + timedelta(hours=4, seconds=1)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: now)

    assert reset_by(http_for(None), late).status_code == 404
    assert "opens nothing" in text_of(http_for(None, tenant="acme").get(late, headers={"Accept": "text/html"}))


def test_a_service_account_gets_no_link(acme: House, visitor: httpx.Client) -> None:
    from foretell.accounts.services import create_service_account

    with acme.inside():
        robot = create_service_account(username="robot", responsible=acme.user("alice"))
        link = resetting.link_of(robot, base=ACME).removeprefix("http://acme.localhost")

    assert visitor.get(link).status_code == 404


def same_person(house: House, person: User) -> User:
    """Put somebody with the same id, password and address into another tenant, as a copy of a schema would."""
    with house.inside():
        copy = User(
            pk=person.pk, username=person.username, email=person.email, password=person.password,
            token_generation=person.token_generation, email_verified_at=timezone.now(),
        )  # fmt: skip
        copy.save(force_insert=True)
        return copy


def test_a_link_of_acme_opens_nothing_at_globex_though_the_same_person_is_there(
    acme: House, globex: House, bobby: User, http_for: HttpFor
) -> None:
    with acme.inside():
        same_person(globex, User.objects.get(pk=bobby.pk))
    link = link_for(acme, bobby)
    key = link.rstrip("/").rpartition("/")[2]

    assert reset_by(http_for(None, tenant="globex"), link).status_code == 404
    headless = Headless(http_for(None, tenant="globex")).post("auth/password/reset", key=key, password=NEW)
    assert headless.status_code == 400
    assert reset_by(http_for(None), link).status_code == 302  # at acme it opens


def test_control_with_djangos_own_salt_it_would(acme: House, globex: House, bobby: User, http_for: HttpFor) -> None:
    with acme.inside():
        same_person(globex, User.objects.get(pk=bobby.pk))

    with patch.object(ResetTokens, "key_salt", PropertyMock(return_value="django's")):
        assert reset_by(http_for(None, tenant="globex"), link_for(acme, bobby)).status_code == 302
    with globex.inside():
        assert User.objects.get(pk=bobby.pk).check_password(NEW)


def test_forged_links_open_nothing(acme: House, bobby: User, visitor: httpx.Client) -> None:
    link = link_for(acme, bobby)
    stem, key = link.rstrip("/").rsplit("/", 1)
    uid, stamp, mac = key.split("-")
    alice, flipped = acme.user("alice").pk.hex, "0" if mac[-1] != "0" else "1"
    forged = [
        f"{uid}-{stamp}-{mac[:-1]}", f"{uid}-{stamp}-{mac[:-1]}{flipped}", f"{uid}-{stamp}-{mac.upper()}", f"{alice}-{stamp}-{mac}",
        f"{uid}-zzzzzz-{mac}", f"{uid}-{stamp}-", f"{uid}--{mac}", f"0-{stamp}-{mac}", f"{'f' * 32}-{stamp}-{mac}", f"{uid}-{stamp}",
        f"{uid}-set-password", f"{uid}-{stamp}-{mac}-x", f"{uid[:-1]}-{stamp}-{mac}", f"{'9' * 300}-{stamp}-{mac}",
    ]  # fmt: skip

    for one in forged:
        answer = visitor.get(f"{stem}/{one}/")
        assert answer.status_code == 404, one
    assert visitor.get(link).status_code == 302  # the control


def test_of_two_who_use_one_link_at_once_one_sets_the_password(acme: House, bobby: User) -> None:
    import threading

    from django.db import connection as own

    with acme.inside():
        token = reset_tokens.make_token(User.objects.get(pk=bobby.pk))
    outcomes: list[str] = []

    def use(password: str) -> None:
        try:
            with acme.inside():
                resetting.reset_password(user=bobby, token=token, password=password, now=timezone.now())
            outcomes.append("set")
        except resetting.ResetOver:
            outcomes.append("over")
        finally:
            own.close()

    threads = [threading.Thread(target=use, args=(f"passphrase number {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["over", "over", "over", "set"]


@pytest.mark.parametrize(
    ("password", "told"), [("short", "too short"), ("password1234", "too common"), ("", "required")]
)
def test_a_weak_password_is_told_and_the_link_stays(
    acme: House, bobby: User, visitor: httpx.Client, password: str, told: str
) -> None:
    link = link_for(acme, bobby)

    answer = reset_by(visitor, link, password)

    assert (answer.status_code, told in text_of(answer)) == (422, True)
    assert reset_by(visitor, link).status_code == 302


def test_mails_to_one_address_are_limited_whether_it_is_somebodys_or_not(
    acme: House, visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAILS", Policy("mails to somebody", Rate.parse("2/h")))

    statuses = {
        email: [send(visitor, ASK, {"email": email}).status_code for _ in range(3)]
        for email in ("bob@acme.example", "nobody@acme.example")
    }

    assert list(statuses.values()) == [[302, 302, 429]] * 2


def test_a_reset_leaves_rows_without_the_link(acme: House, bobby: User, visitor: httpx.Client) -> None:
    with acme.inside():
        end = Entry.objects.count()
    link = link_for(acme, bobby)

    reset_by(visitor, link)

    with acme.inside():
        rows = list(Entry.objects.order_by("id"))[end:]
    assert [row.action for row in rows] == ["user.password_changed", "user.password_reset"]
    assert {(row.actor_name, row.credential, row.face) for row in rows} == {("bobby", "link", "page")}
    told = " ".join(f"{row.before} {row.after} {row.credential_id}" for row in rows)
    assert link.rstrip("/").rpartition("-")[2] not in told


def test_programs_reset_by_the_key_of_the_link(acme: House, bobby: User, http_for: HttpFor) -> None:
    key = link_for(acme, bobby).rstrip("/").rpartition("/")[2]
    browser = Headless(http_for(None))

    weak = browser.post("auth/password/reset", key=key, password="short")
    done = browser.post("auth/password/reset", key=key, password=NEW)

    assert (weak.status_code, weak.json()["errors"][0]["param"]) == (400, "password")
    assert done.status_code == 401  # a new password is no sign-in
    assert browser.post("auth/login", username="bobby", password=NEW).status_code == 200
