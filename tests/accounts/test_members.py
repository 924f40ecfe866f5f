"""Members: roles, leaving, being removed, ownership, service accounts; over REST, and when two do it at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from foretell.accounts import members, people, services
from foretell.accounts.errors import InvalidAccount, LastOwner, NoPerson
from foretell.accounts.flows.verifying import verify_email
from foretell.accounts.models import APIKey, Invitation, ModelGrant, User
from foretell.accounts.permissions import Principal
from foretell.audit.models import Entry
from foretell.refusals import NotAllowed
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model

USERS, ME = "/api/v1/users/", "/api/v1/me/"


def newcomer(acme: House, name: str = "temp", role: str = "viewer") -> User:
    with acme.inside():
        return services.create_user(username=name, email=f"{name}@acme.example", password=PASSWORD, role=role)


def client_of(http_for: HttpFor, acme: House, user: User) -> httpx.Client:
    with acme.inside():
        _, secret = services.create_key(user=user, name="k", scopes=["admin"])
    client = http_for(None)
    client.headers["X-API-Key"] = secret
    return client


def at_once(acme: House, *works: Callable[[], object]) -> list[BaseException | None]:
    """Do all of it at the same moment, each in a thread of its own; return what each raised."""
    barrier, outcomes = threading.Barrier(len(works)), dict[int, BaseException | None]()

    def run(number: int, work: Callable[[], object]) -> None:
        try:
            with acme.inside():
                barrier.wait(10)
                work()
            outcomes[number] = None
        except BaseException as err:  # noqa: BLE001  told to whoever asked
            outcomes[number] = err
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [outcomes[number] for number in range(len(works))]


@pytest.mark.parametrize(
    "way",
    [
        lambda user, now: members.leave(by=Principal(user=user), now=now),
        lambda user, now: members.remove_user(user=user, now=now),
        lambda user, now: members.deactivate_user(user=user),
        lambda user, now: members.change_role(user=user, role="viewer"),
    ],
    ids=["leave", "remove", "deactivate", "demote"],
)
def test_of_two_owners_who_go_at_once_one_stays(acme: House, way: Callable[[User, Any], object]) -> None:
    """Each of eight times, with owners of their own; Alice is none for the length of the test."""
    now = timezone.now()
    for turn in range(8):
        with acme.inside():
            pair = [newcomer(acme, f"owner{turn}{letter}", "owner") for letter in "ab"]
            User.objects.exclude(pk__in=[user.pk for user in pair]).filter(role="owner").update(role="admin")

        outcomes = at_once(acme, *(lambda user=user: way(user, now) for user in pair))

        with acme.inside():
            assert User.objects.filter(role="owner", is_active=True).count() == 1
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "NoneType"]


def test_without_the_lock_both_would_go(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each looks for another owner before either is gone."""
    looked = threading.Barrier(2)

    def locked_by_nobody(user: User) -> User:
        return User.objects.get(pk=user.pk)

    def look(user: User, *, stays: bool) -> None:
        if not User.objects.filter(role="owner", is_active=True).exclude(pk=user.pk).exists():
            raise LastOwner
        looked.wait(10)

    monkeypatch.setattr(members, "_locked", locked_by_nobody)
    monkeypatch.setattr(members, "_keep_an_owner", look)
    with acme.inside():
        pair = [newcomer(acme, f"owner{letter}", "owner") for letter in "ab"]
        User.objects.filter(username="alice").update(role="admin")

    assert at_once(acme, *(lambda user=user: members.deactivate_user(user=user) for user in pair)) == [None, None]
    with acme.inside():
        assert not User.objects.filter(role="owner", is_active=True).exists()


def test_who_is_removed_is_out_at_once_and_their_name_is_free(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)
    user = newcomer(acme, role="editor")
    client = client_of(http_for, acme, user)
    assert client.post("/api/v1/models/", json={"name": "hers"}).status_code == 201
    with acme.inside():
        ModelGrant.objects.create(user=user, model_name="sum", actions=["push"])

    assert http_for("adam").delete(f"{USERS}{user.pk}/").status_code == 204

    assert client.get(ME).status_code == 401
    assert client.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code == 401
    assert http_for(None).get(ME, auth=("temp", PASSWORD)).status_code == 401
    assert http_for("adam").get(f"{USERS}{user.pk}/").status_code == 404
    assert http_for("adam").get("/api/v1/models/hers/").json()["created_by"].startswith("removed-")
    with acme.inside():
        assert not APIKey.objects.filter(user=user, revoked_at=None).exists()
        assert not ModelGrant.objects.filter(user=user).exists()
        row = Entry.objects.filter(action="user.removed").order_by("position").last()
        assert row is not None
        assert (row.target_name, row.before["email"]) == ("temp", "temp@acme.example")
    again = newcomer(acme)
    assert again.pk != user.pk


def test_who_leaves_says_so_by_name_and_is_gone(acme: House, http_for: HttpFor) -> None:
    client = client_of(http_for, acme, newcomer(acme))

    assert client.post(f"{ME}leave/", json={"username": "TEMP"}).status_code == 400
    assert client.post(f"{ME}leave/", json={"username": "temp"}).status_code == 204
    assert client.get(ME).status_code == 401


def test_the_last_owner_goes_by_no_way_over_rest(acme: House, alice: httpx.Client) -> None:
    url = f"{USERS}{acme.user('alice').pk}/"

    for answer in (
        alice.post(f"{ME}leave/", json={"username": "alice"}),
        alice.delete(url),
        alice.patch(url, json={"role": "admin"}),
        alice.patch(url, json={"is_active": False}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert alice.get(ME).json()["role"] == "owner"


def test_nobody_touches_somebody_above_or_makes_somebody_above(acme: House, http_for: HttpFor) -> None:
    adam, alice = http_for("adam"), f"{USERS}{acme.user('alice').pk}/"
    temp = f"{USERS}{newcomer(acme).pk}/"

    assert adam.patch(alice, json={"role": "viewer"}).status_code == 403
    assert adam.patch(alice, json={"is_active": False}).status_code == 403
    assert adam.delete(alice).status_code == 403
    assert adam.patch(temp, json={"role": "owner"}).status_code == 403
    assert adam.patch(temp, json={"role": "admin"}).status_code == 200
    assert adam.post("/api/v1/invitations/", json={"email": "x@acme.example", "role": "owner"}).status_code == 403


def test_a_change_is_all_of_it_or_nothing(acme: House, alice: httpx.Client) -> None:
    user = newcomer(acme)

    answer = alice.patch(f"{USERS}{user.pk}/", json={"role": "editor", "is_active": False, "responsible": "adam"})

    assert answer.json()["code"] == "no_person"
    assert alice.get(f"{USERS}{user.pk}/").json()["role"] == "viewer"


def test_a_stale_if_match_changes_nobody(acme: House, alice: httpx.Client) -> None:
    url = f"{USERS}{newcomer(acme).pk}/"
    read = alice.get(url)
    assert alice.get(url, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    alice.patch(url, json={"role": "editor"}, headers={"If-Match": read.headers["ETag"]})

    for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
        stale = alice.request(method, url, json=body, headers={"If-Match": read.headers["ETag"]})
        assert stale.status_code == 412
    assert alice.get(url).json()["role"] == "editor"


@pytest.mark.parametrize(
    ("body", "attrs"),
    [
        ({"role": "king"}, {"role"}),
        ({"role": 1, "is_active": "no", "responsible": 3}, {"role", "is_active", "responsible"}),
        ({"email": "x@x.example", "id": "1", "nonsense": 1}, {"email", "id", "nonsense"}),
        ({"is_active": None}, {"is_active"}),
        ([], {"non_field_errors"}),
    ],
)
def test_every_fault_of_a_change_is_named_at_once(acme: House, alice: httpx.Client, body: Any, attrs: set[str]) -> None:
    answer = alice.patch(f"{USERS}{acme.user('bob').pk}/", json=body)

    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {error["attr"] for error in answer.json()["errors"]} == attrs


def test_lists_are_narrowed_ordered_paged_exported_and_of_constant_cost(acme: House, alice: httpx.Client) -> None:
    from django.test.utils import CaptureQueriesContext

    def names(query: str) -> list[str]:
        return [row["username"] for row in alice.get(f"{USERS}?{query}").json()["results"]]

    def count() -> int:
        with acme.inside(), CaptureQueriesContext(connection) as queries:
            users = list(User.objects.members().select_related("responsible"))
            assert [user.responsible and user.responsible.username for user in users]
        return len([query for query in queries if '"accounts_user"' in query["sql"]])

    with acme.inside():
        people.create_service_account(username="ci", responsible=acme.user("adam"))
    assert names("kind=service") == ["ci"]
    assert names("role=admin") == ["adam"]
    assert names("search=ACME.example ali") == ["alice"]
    assert names("ordering=-username_key&page_size=2") == ["erin", "ci"]
    assert count() == 1
    assert alice.get(f"{USERS}?rolle=admin").status_code == 400
    assert alice.get(f"{USERS}?role=king&ordering=password").json()["errors"][0]["attr"] in ("role", "ordering")
    csv = alice.get(f"{USERS}?format=csv").text.splitlines()
    assert (csv[0].split(",")[:4], len(csv)) == (["id", "username", "email", "role"], 6)


def test_what_one_changes_of_oneself_needs_ones_password(acme: House, http_for: HttpFor) -> None:
    client = client_of(http_for, acme, newcomer(acme))
    new = "another long passphrase"

    wrong = client.patch(ME, json={"email": "x@x.example", "current_password": "wrong"})
    assert (wrong.status_code, wrong.json()["errors"][0]["attr"]) == (400, "current_password")
    assert client.patch(ME, json={"email": "x@x.example"}).json()["errors"][0]["attr"] == "current_password"
    assert (
        client.patch(ME, json={"role": "owner", "current_password": PASSWORD}).json()["errors"][0]["code"]
        == "read_only"
    )
    changed = client.patch(
        ME, json={"username": "tempo", "email": "t@t.example", "password": new, "current_password": PASSWORD}
    )
    assert (changed.status_code, changed.json()["username"]) == (200, "tempo")
    assert http_for(None).get(ME, auth=("T@T.example", new)).status_code == 401  # the new address is not verified
    with acme.inside():
        tempo = acme.user("tempo")
        assert verify_email(user=tempo, email="t@T.example", now=timezone.now())
    assert http_for(None).get(ME, auth=("T@T.example", new)).status_code == 200
    assert http_for(None).get(ME, auth=("temp", PASSWORD)).status_code == 401
    assert client.patch(ME, json={"username": "alice", "current_password": new}).status_code == 409


def test_nobody_asks_for_address_after_address(acme: House, http_for: HttpFor) -> None:
    client = client_of(http_for, acme, newcomer(acme))

    def tried(email: str) -> int:
        return client.patch(ME, json={"email": email, "current_password": PASSWORD}).status_code

    assert [tried(f"{name}@acme.example") for name in ("bob", "x", "erin", "y", "z", "alice")] == [200] * 5 + [429]
    assert tried("nobody@acme.example") == 429, "whosever it is"
    assert tried("z@acme.example") == 200, "the same once more is none that is asked for"
    assert tried("Temp@acme.example") == 200, "nor is their own"


def test_the_password_of_now_is_not_guessed_here_any_faster_than_at_the_door(acme: House, http_for: HttpFor) -> None:
    client = client_of(http_for, acme, newcomer(acme))

    guesses = [client.patch(ME, json={"current_password": f"guess {number}"}).status_code for number in range(12)]

    assert guesses == [400] * 10 + [429] * 2
    assert http_for(None).get(ME, auth=("temp", PASSWORD)).status_code == 429, "one and the same bucket"


@pytest.mark.parametrize("scopes", [["predict"], ["models:read", "models:write"], ["jobs"]])
def test_a_narrow_key_manages_nothing_of_its_person(acme: House, http_for: HttpFor, scopes: list[str]) -> None:
    with acme.inside():
        _, secret = services.create_key(user=acme.user("alice"), name="k", scopes=scopes)
    client = http_for(None)
    client.headers["X-API-Key"] = secret

    asked = [
        client.get("/api/v1/keys/"), client.post("/api/v1/keys/", json={"name": "x", "scopes": ["admin"]}), client.get(USERS),
        client.patch(ME, json={"current_password": PASSWORD}), client.post(f"{ME}leave/", json={"username": "alice"}),
        client.post("/api/v1/ownership/", json={"to": "adam"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in asked] == [403] * len(asked)


def test_a_service_account_cannot_sign_in_whatever_is_tried(acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        robot = people.create_service_account(username="robot", role="admin", responsible=acme.user("alice"))
        with pytest.raises(NoPerson):
            services.change_password(user=robot, password=PASSWORD)
        robot.set_password(PASSWORD)  # as a slip of somebody's code might
        robot.save()
    nobody = http_for(None)

    assert nobody.get(ME, auth=("robot", PASSWORD)).status_code == 401
    assert nobody.post("/api/v1/models/sum/predict/", json={}, auth=("robot", PASSWORD)).status_code == 401
    assert nobody.post("/api/token/", json={"username": "robot", "password": PASSWORD}).status_code == 401
    client = client_of(http_for, acme, robot)
    assert client.get(ME).json()["kind"] == "service"
    assert client.patch(ME, json={"password": PASSWORD, "current_password": PASSWORD}).json()["code"] == "no_person"
    assert client.post(f"{ME}leave/", json={"username": "robot"}).json()["code"] == "no_person"


def test_a_service_account_owns_nothing_and_only_an_admin_answers_for_it(acme: House, alice: httpx.Client) -> None:
    assert alice.post(USERS, json={"username": "x", "role": "owner"}).status_code == 400
    assert alice.post(USERS, json={"username": "x", "responsible": "bob"}).json()["errors"][0]["attr"] == "responsible"
    made = alice.post(USERS, json={"username": "x", "role": "admin"})
    assert (made.status_code, made.json()["responsible"]) == (201, "alice")
    assert alice.patch(made.json()["url"], json={"role": "owner"}).status_code == 400
    assert alice.post("/api/v1/ownership/", json={"to": "x"}).json()["code"] == "no_person"
    with acme.inside(), pytest.raises(InvalidAccount):
        services.change_role(user=User.objects.get(username="x"), role="owner")


@pytest.mark.parametrize("way", ["demote", "deactivate", "remove", "leave"])
def test_who_can_no_longer_answer_for_a_service_account_passes_it_on(acme: House, way: str) -> None:
    with acme.inside():
        gone = newcomer(acme, "gone", "admin")
        robot = people.create_service_account(username="robot", responsible=gone)
        by, now = acme.principal("adam"), timezone.now()
        ways: dict[str, Callable[[], object]] = {
            "demote": lambda: members.change_role(user=gone, role="editor", by=by),
            "deactivate": lambda: members.deactivate_user(user=gone, by=by),
            "remove": lambda: members.remove_user(user=gone, by=by, now=now),
            "leave": lambda: members.leave(by=Principal(user=gone), now=now),
        }
        ways[way]()

        robot.refresh_from_db()
        assert robot.responsible == acme.user("alice" if way == "leave" else "adam")
        assert Entry.objects.filter(action="user.responsible_changed", target_name="robot").exists()


def test_ownership_goes_over_at_one_stroke(acme: House, alice: httpx.Client, http_for: HttpFor) -> None:
    assert alice.post("/api/v1/ownership/", json={"to": "alice"}).status_code == 400
    assert alice.post("/api/v1/ownership/", json={"to": "nobody"}).json()["errors"][0]["attr"] == "to"
    assert http_for("adam").post("/api/v1/ownership/", json={"to": "adam"}).status_code == 403
    assert alice.post("/api/v1/ownership/", json={"to": "adam"}).json()["role"] == "owner"
    assert alice.get(ME).json()["role"] == "admin"


def test_another_tenants_ids_are_answered_as_what_is_not_there(acme: House, globex: House, alice: httpx.Client) -> None:
    same = {"X-Request-ID": "same"}
    nobody = "00000000-0000-0000-0000-000000000000"
    with globex.inside():
        invitation = Invitation.objects.create(email="i@globex.example", expires_at=timezone.now() + timedelta(days=1))
    theirs = {
        USERS: globex.user("carol").pk, "/api/v1/invitations/": invitation.pk, "/api/v1/keys/": globex.people["carol"].key_id
    }  # fmt: skip

    for base, id in theirs.items():
        absent = "aaaaaaaaaa" if "keys" in base else nobody
        for method in ("GET", "DELETE"):
            answers = [alice.request(method, f"{base}{one}/", headers=same) for one in (id, absent)]
            assert answers[0].status_code == 404
            assert answers[0].content == answers[1].content


def test_changes_have_rows_that_say_who_what_and_how(acme: House, http_for: HttpFor) -> None:
    user = newcomer(acme)
    http_for("adam").patch(f"{USERS}{user.pk}/", json={"role": "editor", "is_active": False})

    with acme.inside():
        rows = list(Entry.objects.about("user", [str(user.pk)]).order_by("position"))
        assert [row.action for row in rows] == ["user.created", "user.role_changed", "user.deactivated"]
        role = rows[1]
        assert (role.before, role.after) == ({"role": "viewer"}, {"role": "editor"})
        assert (role.actor_name, role.credential, role.face) == ("adam", "key", "rest")


def test_a_service_of_a_narrowed_principal_refuses_what_a_view_would(acme: House) -> None:
    with acme.inside():
        narrow = Principal(user=acme.user("alice"), scopes=frozenset({"predict"}))
        for call in (
            lambda: members.change_role(user=acme.user("bob"), role="editor", by=narrow),
            lambda: members.remove_user(user=acme.user("bob"), by=narrow, now=timezone.now()),
            lambda: members.leave(by=narrow, now=timezone.now()),
            lambda: members.transfer_ownership(to=acme.user("adam"), by=narrow),
            lambda: people.create_service_account(username="x", responsible=acme.user("alice"), by=narrow),
            lambda: people.change_account(by=narrow, username="x", current_password=PASSWORD),
        ):
            with pytest.raises(NotAllowed):
                call()
