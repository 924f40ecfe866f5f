"""Roles change, people leave; a tenant keeps an owner. Who may do what is one table."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from foretell.accounts import services
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed, may_manage
from foretell.accounts.roles import Role, Scope
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import sign_in

READER = {Action.IDENTIFY, Action.READ, Action.PREDICT, Action.READ_LOG, Action.MANAGE_SELF}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, READER),
        (Role.EDITOR, READER | {Action.PUSH}),
        (Role.ADMIN, set(Action) - {Action.OWN}),
        (Role.OWNER, set(Action)),
    ],
)
def test_a_role_includes_exactly_this(role: Role, allowed: set[Action]) -> None:
    principal = Principal(user=User(username="x", role=role))

    assert {action for action in Action if is_allowed(principal, action)} == allowed


def test_every_scope_and_every_role_is_in_the_tables() -> None:
    from foretell.accounts import permissions

    assert set(permissions.ACTIONS_OF_ROLE) == set(Role.values)
    assert set(permissions.ACTIONS_OF_SCOPE) == set(Scope.values)


def test_who_was_deactivated_may_nothing() -> None:
    principal = Principal(user=User(username="x", role=Role.OWNER, is_active=False))

    assert not [action for action in Action if is_allowed(principal, action)]


def test_a_scope_that_is_no_more_gives_nothing() -> None:
    principal = Principal(user=User(username="x", role=Role.OWNER), scopes=frozenset({"a scope of an older version"}))

    assert not [action for action in Action if is_allowed(principal, action)]


@pytest.mark.parametrize(
    ("mine", "theirs", "may"),
    [("owner", "owner", True), ("admin", "admin", True), ("admin", "owner", False), ("editor", "viewer", False)],
)
def test_nobody_makes_a_role_above_their_own(mine: str, theirs: str, may: bool) -> None:
    assert may_manage(Principal(user=User(username="x", role=mine)), theirs) is may


def test_the_last_owner_stays_one(acme: House) -> None:
    with acme.inside():
        with pytest.raises(services.LastOwner):
            services.change_role(user=acme.user("alice"), role="admin")
        with pytest.raises(services.LastOwner):
            services.deactivate_user(user=acme.user("alice"))
        assert acme.user("alice").role == "owner"


def test_with_a_second_owner_the_first_may_go(acme: House) -> None:
    with acme.inside():
        services.change_role(user=acme.user("adam"), role="owner")
        services.deactivate_user(user=acme.user("alice"))

        assert not acme.user("alice").is_active
        with pytest.raises(services.LastOwner):
            services.change_role(user=acme.user("adam"), role="viewer")


def test_an_owner_who_is_deactivated_does_not_count(acme: House) -> None:
    with acme.inside():
        services.change_role(user=acme.user("adam"), role="owner")
        services.deactivate_user(user=acme.user("adam"))

        with pytest.raises(services.LastOwner):
            services.change_role(user=acme.user("alice"), role="viewer")


def test_two_owners_who_leave_at_once_do_not_both_get_away(acme: House) -> None:
    from django.db import connection

    with acme.inside():
        services.change_role(user=acme.user("adam"), role="owner")

    def leave(name: str) -> str:
        try:
            with acme.inside():
                services.deactivate_user(user=User.objects.get(username=name))
        except services.LastOwner:
            return "stays"
        finally:
            connection.close()
        return "left"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, ["alice", "adam"])) == ["left", "stays"]


def test_who_is_deactivated_is_out_of_an_open_session(http_for: HttpFor, acme: House) -> None:
    client = http_for(None)
    client.headers["Accept"] = "text/html"
    sign_in(client, "bob", PASSWORD)
    assert client.get("/").status_code == 200

    with acme.inside():
        services.deactivate_user(user=acme.user("bob"))

    assert client.get("/").status_code == 302


def test_a_new_password_ends_the_sessions_of_the_old(http_for: HttpFor, acme: House) -> None:
    client = http_for(None)
    client.headers["Accept"] = "text/html"
    with acme.inside():
        zoe = services.create_user(username="zoe", email="zoe@acme.example", password=PASSWORD)
    sign_in(client, "zoe", PASSWORD)
    assert client.get("/").status_code == 200

    with acme.inside():
        services.change_password(user=zoe, password="another long passphrase")

    assert client.get("/").status_code == 302


def test_a_session_writes_only_with_its_csrf_token(http_for: HttpFor, acme: House) -> None:
    client = http_for(None)
    sign_in(client, "alice", PASSWORD)
    token = {"X-CSRFToken": client.cookies["foretell-csrf"]}

    assert client.get("/api/v1/me/").json()["username"] == "alice"
    forged = client.post("/api/v1/models/", json={"name": "wine"})
    assert (forged.status_code, forged.json()["code"]) == (403, "permission_denied")
    assert client.post("/api/v1/models/", json={"name": "wine"}, headers=token).status_code == 201


def test_a_person_that_is_not_there_is_said_to_be_so(acme: House) -> None:
    with acme.inside(), pytest.raises(services.AccountNotFound, match="carol"):
        services.get_user("carol")
