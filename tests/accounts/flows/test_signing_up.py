"""Signing up: open, by invitation or not at all; with a code, and telling nobody who is here."""

import threading
from collections.abc import Callable

import httpx
import pytest
from django.utils import timezone

from foretell.accounts.flows import limits, signing_up
from foretell.accounts.flows.joining import set_sign_up
from foretell.accounts.models import SignUp, User
from foretell.accounts.people import create_user
from foretell.audit.models import Entry
from foretell.limits import Policy, Rate
from tests.accounts.flows.walking import PASSPHRASE, Headless, code_in, mails, opened, said, sign_up
from tests.cast import House
from tests.http import HttpFor
from tests.web.pages import send, sign_in, text_of

VERIFY = "/accounts/confirm-email/"


def user_named(house: House, name: str) -> User:
    with house.inside():
        return User.objects.get(username=name)


def test_whoever_signs_up_verifies_their_address_and_is_in(acme: House, visitor: httpx.Client) -> None:
    opened(acme)

    answer = sign_up(visitor)
    assert (answer.status_code, answer.headers["location"]) == (302, VERIFY)
    assert visitor.get("/").status_code == 302  # not yet
    answer = send(visitor, VERIFY, {"code": code_in(mails(acme)[0])})

    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert "zoe" in visitor.get("/").text
    zoe = user_named(acme, "zoe")
    assert (zoe.role, zoe.email_verified_at is not None, zoe.check_password(PASSPHRASE)) == ("viewer", True, True)


def test_until_the_address_is_verified_the_password_opens_nothing(
    acme: House, visitor: httpx.Client, http_for: HttpFor
) -> None:
    opened(acme)
    sign_up(visitor)

    tokens = http_for(None).post("/api/token/", json={"username": "zoe", "password": PASSPHRASE})
    basic = http_for(None).get("/api/v1/me/", auth=("zoe", PASSPHRASE))
    page = sign_in(http_for(None), "zoe", PASSPHRASE)

    assert (tokens.status_code, basic.status_code, page.status_code) == (401, 401, 200)
    assert "ask for a new password" in text_of(page)
    assert len(mails(acme)) == 1


def test_a_wrong_code_is_told_and_the_third_ends_it(acme: House, visitor: httpx.Client) -> None:
    opened(acme)
    sign_up(visitor)
    code = code_in(mails(acme)[0])

    first, second = (send(visitor, VERIFY, {"code": "XXXX-XXXX"}) for _ in range(2))
    third = send(visitor, VERIFY, {"code": "XXXX-XXXX"})

    assert (first.status_code, second.status_code, third.headers["location"]) == (422, 422, "/accounts/login/")
    assert visitor.get(VERIFY).status_code == 302
    assert user_named(acme, "zoe").email_verified_at is None
    assert code not in first.text


def test_another_code_can_be_sent_and_the_one_before_is_over(acme: House, visitor: httpx.Client) -> None:
    opened(acme)
    sign_up(visitor)

    send(visitor, VERIFY, {"action": "resend"})
    first, second = map(code_in, mails(acme))

    assert send(visitor, VERIFY, {"code": first}).status_code == 422
    assert send(visitor, VERIFY, {"code": second}).headers["location"] == "/"


@pytest.mark.parametrize("mode", [SignUp.INVITATION, SignUp.CLOSED])
def test_where_it_is_not_open_nobody_signs_up(
    acme: House, visitor: httpx.Client, http_for: HttpFor, mode: SignUp
) -> None:
    with acme.inside():
        set_sign_up(mode=mode)

    assert visitor.get("/accounts/signup/").status_code == 403
    assert (
        Headless(http_for(None))
        .post("auth/signup", username="zoe", email="z@z.example", password=PASSPHRASE)
        .status_code
        == 403
    )
    assert "Sign up" not in visitor.get("/accounts/login/").text
    with acme.inside():
        assert not User.objects.filter(username="zoe").exists()


def test_by_default_people_are_invited(acme: House, visitor: httpx.Client) -> None:
    assert "invites its people" in text_of(visitor.get("/accounts/signup/"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"username": "bob"}, "taken"),
        ({"username": "BOB"}, "taken"),
        ({"username": "no spaces"}, "letters, digits"),
        ({"password": "short"}, "too short"),
        ({"password": "password1234"}, "too common"),
        ({"email": "nowhere"}, "valid email address"),
        ({"username": ""}, "required"),
        ({"username": "eve@acme.example"}, "one's own"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_beside_its_field(
    acme: House, visitor: httpx.Client, fields: dict[str, str], told: str
) -> None:
    opened(acme)
    right = {"username": "zoe", "email": "zoe@acme.example", "password": PASSPHRASE}

    answer = send(visitor, "/accounts/signup/", {**right, **fields})

    assert answer.status_code == 422
    assert told in text_of(answer)
    with acme.inside():
        assert User.objects.count() == len(acme.people)


def test_an_address_that_is_somebodys_gets_the_same_answer_and_its_owner_a_mail(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(acme)
    hashed = counted_hashes(monkeypatch)

    answers = []
    for name, email in (("zoe", "zoe@acme.example"), ("eve", "BOB@acme.example")):
        client = http_for(None)
        client.headers["Accept"] = "text/html"
        sent = sign_up(client, name, email=email)
        shown = text_of(client.get(VERIFY)).replace(email, "…")
        answers.append((sent.status_code, sent.headers["location"], sorted(sent.cookies), shown))

    assert answers[0] == answers[1]
    assert hashed == [1, 1]
    told = mails(acme)[1]
    assert (told.to, "an account there already" in told.body) == ("BOB@acme.example", True)
    with acme.inside():
        assert not User.objects.filter(username="eve").exists()


def test_the_same_holds_for_programs(acme: House, http_for: HttpFor) -> None:
    opened(acme)

    new = Headless(http_for(None)).post("auth/signup", username="zoe", email="z@acme.example", password=PASSPHRASE)
    known = Headless(http_for(None)).post("auth/signup", username="eve", email="bob@acme.example", password=PASSPHRASE)

    assert new.status_code == known.status_code == 401
    assert said(new) == said(known)
    assert {"id": "verify_email", "is_pending": True} in new.json()["data"]["flows"]


def counted_hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the hashes of each sign-up."""
    from foretell.accounts.flows import forms
    from foretell.accounts.passwords import Argon2Hasher

    counts: list[int] = []
    encode, sign_up = Argon2Hasher.encode, signing_up.sign_up

    def counting(self: Argon2Hasher, password: str, salt: str) -> str:
        counts[-1] += 1
        return encode(self, password, salt)

    def begun(**asked: str) -> User | None:
        counts.append(0)
        return sign_up(**asked)

    monkeypatch.setattr(Argon2Hasher, "encode", counting)
    monkeypatch.setattr(forms, "sign_up", begun)
    return counts


@pytest.mark.parametrize("n_people", [50])
def test_of_fifty_who_take_one_name_at_once_one_gets_it_and_the_others_are_told(
    acme: House, http_for: HttpFor, n_people: int
) -> None:
    opened(acme)
    spellings = spellings_of("MaRgArEt", n_people)
    browsers = [Headless(http_for(None)) for _ in range(n_people)]
    answers = at_once(
        [
            lambda browser=browser, number=number: browser.post(  # type: ignore[misc]  # bound now
                "auth/signup", username=spellings[number], email=f"m{number}@acme.example", password=PASSPHRASE
            )
            for number, browser in enumerate(browsers)
        ]
    )

    statuses = sorted(answer.status_code for answer in answers)
    refusals = [answer.json()["errors"] for answer in answers if answer.status_code == 400]
    assert statuses == [400] * (n_people - 1) + [401]
    assert {(error["code"], "taken" in error["message"]) for errors in refusals for error in errors} == {
        ("account_exists", True)
    }
    with acme.inside():
        assert User.objects.filter(username_key="margaret").count() == 1


def spellings_of(name: str, count: int) -> list[str]:
    """Return the name in so many different cases."""
    return [
        "".join(letter.upper() if number >> place & 1 else letter.lower() for place, letter in enumerate(name))
        for number in range(count)
    ]


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    answers: list[httpx.Response] = []
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], httpx.Response]) -> None:
        barrier.wait()
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_sign_ups_are_limited_before_anything_is_hashed(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(acme)
    monkeypatch.setattr(limits, "SIGN_UPS_OF_TENANT", Policy("sign-ups of a tenant", Rate.parse("2/h")))
    hashed = counted_hashes(monkeypatch)
    browser = Headless(http_for(None))

    statuses = [
        browser.post("auth/signup", username=f"z{n}", email=f"z{n}@acme.example", password=PASSPHRASE).status_code
        for n in range(4)
    ]

    assert statuses == [401, 401, 429, 429]
    assert hashed == [1, 1, 0, 0]


def test_a_sign_up_leaves_rows_without_secrets(acme: House, visitor: httpx.Client) -> None:
    opened(acme)
    with acme.inside():
        end = Entry.objects.count()

    sign_up(visitor)
    code = code_in(mails(acme)[0])
    send(visitor, VERIFY, {"code": code})

    with acme.inside():
        rows = list(Entry.objects.order_by("id"))[end:]
        assert [row.action for row in rows] == [
            "user.created", "user.signed_up", "user.email_verified", "session.started",
        ]  # fmt: skip
        assert [(row.actor_name, row.credential) for row in rows][1:3] == [("zoe", "none"), ("zoe", "link")]
        told = " ".join(f"{row.before} {row.after}" for row in rows)
        assert code not in told
        assert PASSPHRASE not in told


def test_a_name_tells_nothing_either_it_is_taken_in_both_cases(acme: House, http_for: HttpFor) -> None:
    """Else whoever signs up with an address, and again with the same name, would see whether an account was made."""
    opened(acme)
    for name, email in (("first", "new@acme.example"), ("second", "bob@acme.example")):
        Headless(http_for(None)).post("auth/signup", username=name, email=email, password=PASSPHRASE)

    again = [
        Headless(http_for(None)).post("auth/signup", username=name, email=f"{name}@else.example", password=PASSPHRASE)
        for name in ("First", "Second")
    ]

    assert [answer.status_code for answer in again] == [400, 400]
    assert said(again[0]) == said(again[1])


def test_names_of_sign_ups_that_nobody_verified_are_free_after_a_week(acme: House, http_for: HttpFor) -> None:
    opened(acme)
    browser = Headless(http_for(None))
    browser.post("auth/signup", username="stays", email="stays@acme.example", password=PASSPHRASE)
    browser.post("auth/email/verify", key=code_in(mails(acme)[0]))
    for name, email in (("goes", "goes@acme.example"), ("reserved", "bob@acme.example")):
        Headless(http_for(None)).post("auth/signup", username=name, email=email, password=PASSPHRASE)

    with acme.inside():
        assert signing_up.forget_unverified(now=timezone.now()) == 0
        assert signing_up.forget_unverified(now=timezone.now() + signing_up.KEPT_FOR) == 2
        names = set(User.objects.members().values_list("username", flat=True))

    assert names == {*acme.people, "stays"}
    again = Headless(http_for(None)).post(
        "auth/signup", username="goes", email="goes@acme.example", password=PASSPHRASE
    )
    assert again.status_code == 401


def test_codes_are_limited_over_all_sessions(acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session has three tries; but whoever knows the password could begin as many as they like."""
    with acme.inside():
        create_user(username="zoe", email="zoe@acme.example", password=PASSPHRASE, is_email_verified=False)
    monkeypatch.setattr(limits, "CODES", Policy("codes of somebody", Rate.parse("5/h")))

    statuses = []
    for _ in range(3):
        browser = Headless(http_for(None))
        browser.post("auth/login", username="zoe", password=PASSPHRASE)
        statuses += [browser.post("auth/email/verify", key="XXXX-XXXX").status_code for _ in range(2)]

    assert statuses == [400] * 5 + [429]


def test_a_code_of_acme_is_none_at_globex_though_the_same_person_signs_up_there(
    acme: House, globex: House, http_for: HttpFor
) -> None:
    for house in (acme, globex):
        opened(house)
    here, there = Headless(http_for(None, tenant="acme")), Headless(http_for(None, tenant="globex"))
    for browser in (here, there):
        browser.post("auth/signup", username="zoe", email="zoe@both.example", password=PASSPHRASE)
    ours, theirs = code_in(mails(acme)[0]), code_in(mails(globex)[0])

    assert there.post("auth/email/verify", key=ours).status_code == 400
    assert there.post("auth/email/verify", key=theirs).status_code == 200  # the control


def test_a_sign_up_that_was_begun_at_acme_goes_on_nowhere_else(acme: House, globex: House, http_for: HttpFor) -> None:
    for house in (acme, globex):
        opened(house)
    client = http_for(None, tenant="acme")
    Headless(client).post("auth/signup", username="zoe", email="zoe@both.example", password=PASSPHRASE)
    copied = http_for(None, tenant="globex")
    copied.cookies.set("foretell-session", client.cookies["foretell-session"])

    assert Headless(copied).post("auth/email/verify", key=code_in(mails(acme)[0])).status_code == 409


@pytest.mark.parametrize("username", ["\ufdfa" * 150, "a\u200bb", "\U0001f600", "o" * 151, "\u0430a", " ", "İ" * 150])
def test_no_name_breaks_anything(acme: House, http_for: HttpFor, username: str) -> None:
    opened(acme)

    answer = Headless(http_for(None)).post(
        "auth/signup", username=username, email="z@acme.example", password=PASSPHRASE
    )

    assert answer.status_code in (400, 401)
