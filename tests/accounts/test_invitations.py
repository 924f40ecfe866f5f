"""Invitations: in one tenant, once, for a week, until revoked, and worth no more than whoever sent them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core import mail
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIRequestFactory

from foretell.accounts import invitations, members, services
from foretell.accounts.errors import AccountExists, InvitationOver
from foretell.accounts.invitations import accept_invitation, invite, read_token, token_of
from foretell.accounts.models import Invitation, User
from foretell.accounts.permissions import Principal
from foretell.accounts.serializers import InvitationSerializer
from foretell.accounts.tasks import forget_invitations, send_invitation
from foretell.audit.models import Entry
from foretell.tenants.signing import tenant_signer
from tests.cast import PASSWORD, House
from tests.http import HttpFor

INVITATIONS = "/api/v1/invitations/"
ACCEPT = f"{INVITATIONS}accept/"


@pytest.fixture
def token(acme: House) -> str:
    with acme.inside():
        return token_of(invite(email="zoe@acme.example", role="editor", now=timezone.now(), by=acme.principal("adam")))


def accepted(acme: House, token: str, *, now: Any = None, username: str = "zoe") -> User:
    with acme.inside():
        return accept_invitation(token=token, username=username, password=PASSWORD, now=now or timezone.now())


def test_whoever_comes_has_the_role_and_the_name_they_chose(acme: House, token: str, http_for: HttpFor) -> None:
    user = accepted(acme, token)

    assert (user.email, user.role, user.is_person) == ("zoe@acme.example", "editor", True)
    assert http_for(None).get("/api/v1/me/", auth=("zoe", PASSWORD)).json()["role"] == "editor"


def test_a_link_is_good_once(acme: House, token: str) -> None:
    accepted(acme, token)

    with pytest.raises(InvitationOver):
        accepted(acme, token, username="another")


def test_of_many_who_follow_one_link_at_once_one_comes_in(acme: House, token: str) -> None:
    outcomes: list[str] = []

    def come(number: int) -> None:
        from django.db import connection

        try:
            accepted(acme, token, username=f"zoe{number}")
            outcomes.append("in")
        except InvitationOver:
            outcomes.append("over")
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["in", *["over"] * 5]
    with acme.inside():
        assert User.objects.filter(email="zoe@acme.example").count() == 1


def test_a_link_ends_with_its_week_and_its_row(acme: House, token: str) -> None:
    later = timezone.now() + invitations.LIFETIME + timedelta(seconds=1)

    with pytest.raises(InvitationOver):
        accepted(acme, token, now=later)
    with acme.inside():
        Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(InvitationOver):
        accepted(acme, token)


def test_a_revoked_link_opens_nothing(acme: House, token: str) -> None:
    with acme.inside():
        invitations.revoke_invitation(invitation=Invitation.objects.get(), now=timezone.now())

    with pytest.raises(InvitationOver):
        accepted(acme, token)


def test_a_link_is_nothing_in_another_tenant_though_the_row_is_there(acme: House, globex: House, token: str) -> None:
    with acme.inside():
        fields = Invitation.objects.values("id", "email", "email_key", "role", "expires_at").get()
    with globex.inside():
        Invitation.objects.create(**fields)
        with pytest.raises(InvitationOver):
            read_token(token, now=timezone.now())
        theirs = Invitation.objects.get()
        assert read_token(token_of(theirs), now=timezone.now()) == theirs  # the control


def test_forged_and_swapped_links_open_nothing(acme: House, token: str) -> None:
    with acme.inside():
        id = Invitation.objects.get().pk.hex
        forged = [
            "", ":", id, token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token.upper(), token + "x", "x" + token,
            token.replace(id[:4], "0000", 1), tenant_signer("password").sign(id), tenant_signer("invitation").sign("not an id"),
            tenant_signer("invitation").sign("0" * 32), "a:b:c", "\0:1:2", "é" * 50, ":".join(reversed(token.split(":"))),
        ]  # fmt: skip
        for one in forged:
            with pytest.raises(InvitationOver):
                read_token(one, now=timezone.now())


@pytest.mark.parametrize("way", ["demoted", "deactivated", "removed"])
def test_a_link_is_worth_no_more_than_who_sent_it(acme: House, way: str) -> None:
    with acme.inside():
        sender = services.create_user(username="s", email="s@acme.example", password=PASSWORD, role="admin")
        from foretell.accounts.permissions import Principal

        made = token_of(invite(email="zoe@acme.example", role="admin", now=timezone.now(), by=Principal(user=sender)))
        ways: dict[str, Callable[[], object]] = {
            "demoted": lambda: members.change_role(user=sender, role="editor"),
            "deactivated": lambda: members.deactivate_user(user=sender),
            "removed": lambda: members.remove_user(user=sender, now=timezone.now()),
        }
        ways[way]()

    with pytest.raises(InvitationOver):
        accepted(acme, made)


def test_inviting_again_replaces_the_earlier_link(acme: House, token: str) -> None:
    with acme.inside():
        second = token_of(invite(email="ZOE@acme.example", role="viewer", now=timezone.now()))

    with pytest.raises(InvitationOver):
        accepted(acme, token)
    assert accepted(acme, second).role == "viewer"


def test_who_is_here_is_not_invited_and_who_came_meanwhile_is_not_made_twice(acme: House, token: str) -> None:
    with acme.inside():
        with pytest.raises(AccountExists):
            invite(email="BOB@acme.example", now=timezone.now())
        services.create_user(username="z", email="Zoe@acme.example", password=PASSWORD)
    with pytest.raises(AccountExists):
        accepted(acme, token)


def test_over_rest_an_invitation_is_sent_read_and_taken_back(acme: House, http_for: HttpFor) -> None:
    adam = http_for("adam")
    sent = adam.post(INVITATIONS, json={"email": "zoe@acme.example", "role": "editor"})

    assert (sent.status_code, sent.headers["Cache-Control"]) == (201, "no-store")
    assert sent.json()["link"].startswith("http://acme.localhost/accounts/invitation/")
    read = adam.get(sent.json()["url"])
    assert (read.json()["state"], read.json()["invited_by"], "link" in read.json()) == ("open", "adam", False)
    assert adam.get(f"{INVITATIONS}?state=open&email=ZOE@acme.example").json()["count"] == 1
    assert adam.delete(sent.json()["url"]).status_code == 204
    assert adam.get(sent.json()["url"]).json()["state"] == "revoked"
    assert adam.get(f"{INVITATIONS}?state=open").json()["count"] == 0


def test_over_rest_whoever_has_the_token_comes_once_and_signs_in(acme: House, token: str, http_for: HttpFor) -> None:
    visitor, body = http_for(None), {"token": token, "username": "zoe", "password": PASSWORD}

    came = visitor.post(ACCEPT, json=body)

    assert (came.status_code, came.headers["Cache-Control"]) == (201, "no-store")
    assert (came.json()["username"], came.json()["email"], came.json()["role"]) == ("zoe", "zoe@acme.example", "editor")
    assert visitor.get(came.headers["Location"], auth=("zoe", PASSWORD)).json()["id"] == came.json()["id"]
    again = visitor.post(ACCEPT, json=body | {"username": "zoe2"})
    assert (again.status_code, again.json()["code"]) == (404, "invitation_over")


def test_over_rest_a_token_is_nothing_in_another_tenant_and_no_password_is_hashed_for_one_that_is_none(
    acme: House, token: str, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr("foretell.accounts.invitations.create_user", lambda **given: hashed.append(given["password"]))
    visitor = http_for(None, tenant="globex")

    for one in (token, "x", "a:b:c", token[:-1]):
        answer = visitor.post(ACCEPT, json={"token": one, "username": "zoe", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (404, "invitation_over")
    assert hashed == []


@pytest.mark.parametrize(
    ("fields", "status", "attrs"),
    [
        ({"token": None, "username": 1, "password": None, "role": "owner"}, 400, {"token", "username", "password", "role"}),
        ({"token": "x" * 201}, 400, {"token"}),
        ({"password": "short"}, 400, {"password"}),
        ({"username": "no spaces"}, 400, {"username"}),
        ({"username": "BOB"}, 409, set()),
    ],
)  # fmt: skip
def test_over_rest_every_fault_of_who_comes_is_named_and_the_invitation_stays_open(
    acme: House, token: str, http_for: HttpFor, fields: dict[str, Any], status: int, attrs: set[str]
) -> None:
    body = {"token": token, "username": "zoe", "password": PASSWORD}

    answer = http_for(None).post(ACCEPT, json=body | fields)

    assert answer.status_code == status
    assert {error["attr"] for error in answer.json().get("errors", ())} == attrs
    assert accepted(acme, token).username == "zoe"


@pytest.mark.parametrize(
    ("body", "attrs"),
    [
        ({}, {"email"}),
        ({"email": "no address", "role": "king"}, {"email", "role"}),
        ({"email": 1, "state": "accepted", "x": 1}, {"email", "state", "x"}),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, {"email"}),
    ],
)
def test_every_fault_of_an_invitation_is_named_at_once(
    alice: httpx.Client, body: dict[str, Any], attrs: set[str]
) -> None:
    answer = alice.post(INVITATIONS, json=body)

    assert (answer.status_code, {error["attr"] for error in answer.json()["errors"]}) == (400, attrs)


@override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
def test_the_mail_has_the_link_and_the_queue_has_not(acme: House, http_for: HttpFor) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    from foretell.core.tenancy import use_public

    sent = http_for("adam").post(INVITATIONS, json={"email": "zoe@acme.example"}).json()
    with use_public():
        job = ProcrastinateJob.objects.filter(task_name="foretell.accounts.tasks.send_invitation").latest("id")
    assert job.args["invitation"] == sent["id"]
    assert sent["link"].rsplit("/", 2)[1] not in str(job.args)

    mail.outbox = []
    send_invitation.func(**job.args)

    assert [message.to for message in mail.outbox] == [["zoe@acme.example"]]
    link = next(line.strip() for line in mail.outbox[0].body.splitlines() if "/accounts/invitation/" in line)
    assert http_for(None).get(link, headers={"Accept": "text/html"}).status_code == 200
    http_for("adam").delete(sent["url"])
    send_invitation.func(**job.args)
    assert len(mail.outbox) == 1, "what is over is not sent"


def test_a_list_of_them_takes_a_constant_number_of_queries(acme: House, http_for: HttpFor) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with acme.inside(), CaptureQueriesContext(connection) as queries:
            found = Invitation.objects.select_related("invited_by", "accepted_by")
            assert [row["state"] for row in InvitationSerializer(found, many=True, context=context).data] == [
                "open"
            ] * len(found)
        return len(queries)

    context = {"request": APIRequestFactory().get("/", headers={"Host": "acme.localhost"})}
    asked = invited(acme, 1)
    one = count()
    asked += invited(acme, 5)

    assert count() == one
    assert len(asked) == 6


def invited(acme: House, count: int) -> list[Invitation]:
    with acme.inside():
        return [
            invite(email=f"{uuid4().hex}@acme.example", now=timezone.now(), by=Principal(user=acme.user("alice")))
            for _ in range(count)
        ]


def test_what_is_over_since_long_is_forgotten(acme: House, token: str) -> None:
    with acme.inside():
        Invitation.objects.update(expires_at=timezone.now() - timedelta(days=91))

    forget_invitations.func(0)

    with acme.inside():
        assert not Invitation.objects.exists()


def test_what_becomes_of_an_invitation_is_in_the_audit(acme: House, token: str) -> None:
    user = accepted(acme, token)

    with acme.inside():
        rows = list(Entry.objects.filter(target_kind="invitation").order_by("-position")[:2])
        assert [row.action for row in rows] == ["invitation.accepted", "invitation.created"]
        assert (rows[0].after["username"], rows[0].actor_name) == (user.username, "zoe@acme.example")
