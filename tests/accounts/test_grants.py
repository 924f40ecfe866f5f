"""Grants on single models, and models that are restricted: at every face, the lane included, and soon."""

from typing import Any

import httpx
import pytest

from foretell.accounts import grants, services
from foretell.accounts.model_access import ModelAccess
from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed, is_visible, model_reach
from foretell.accounts.roles import Role
from foretell.refusals import NotAllowed
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.web.conftest import *  # noqa: F403  its fixtures: a session
from tests.web.pages import text_of

ROW = {"a": 1, "b": 2}
MODELS = "/api/v1/models/"
ON_MODELS = (Action.READ, Action.PREDICT, Action.PUSH, Action.PROMOTE)


def may(role: Role, *, granted: set[str] | None, restricted: bool, scopes: set[str] | None = None) -> set[str]:
    access = ModelAccess(
        frozenset({"sum"} if restricted else ()), {} if granted is None else {"sum": frozenset(granted)}
    )
    principal = Principal(
        user=User(username="x", role=role), known_access=access, scopes=None if scopes is None else frozenset(scopes)
    )
    return {action.value for action in ON_MODELS if is_allowed(principal, action, model="sum")}


@pytest.mark.parametrize(
    ("role", "granted", "restricted", "allowed"),
    [
        (Role.VIEWER, None, False, {"read", "predict"}),
        (Role.VIEWER, {"push"}, False, {"read", "predict", "push"}),
        (Role.VIEWER, {"promote"}, False, {"read", "predict", "promote"}),
        (Role.EDITOR, {"promote"}, False, {"read", "predict", "push", "promote"}),
        (Role.VIEWER, None, True, set()),
        (Role.EDITOR, None, True, set()),
        (Role.EDITOR, {"predict"}, True, {"read", "predict"}),
        (Role.VIEWER, {"push"}, True, {"read", "push"}),
        (Role.ADMIN, None, True, {"read", "predict", "push", "promote"}),
        (Role.OWNER, None, True, {"read", "predict", "push", "promote"}),
        (Role.ADMIN, {"predict"}, True, {"read", "predict", "push", "promote"}),
    ],
)
def test_a_grant_adds_to_the_role_and_a_restriction_leaves_the_grant_alone(
    role: Role, granted: set[str] | None, restricted: bool, allowed: set[str]
) -> None:
    assert may(role, granted=granted, restricted=restricted) == allowed


def test_a_key_has_no_more_of_a_grant_than_its_scopes() -> None:
    assert may(Role.VIEWER, granted={"push"}, restricted=False, scopes={"predict"}) == {"predict"}
    assert may(Role.VIEWER, granted={"push", "promote"}, restricted=True, scopes={"models:write"}) == {
        "read",
        "push",
        "promote",
    }


def test_a_key_that_is_limited_to_other_models_has_nothing_of_a_grant() -> None:
    access = ModelAccess(frozenset({"sum"}), {"sum": frozenset({"predict"})})
    principal = Principal(user=User(username="x"), models=frozenset({"other"}), known_access=access)

    assert not is_visible(principal, "sum")
    assert model_reach(principal).only == frozenset({"other"})


def test_a_grant_on_one_model_says_nothing_of_another() -> None:
    principal = Principal(user=User(username="x"), known_access=ModelAccess(grants={"sum": frozenset({"push"})}))

    assert is_allowed(principal, Action.PUSH, model="sum")
    assert not is_allowed(principal, Action.PUSH, model="other")
    assert not is_allowed(principal, Action.PUSH)


@pytest.fixture
def restricted(acme: House) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, name="open")
    with acme.inside():
        grants.change_policy(model="sum", restricted=True)


def everywhere(client: httpx.Client) -> dict[str, int]:
    """Ask for the model at each face; by name, so that a face that forgets to ask is named by the failure."""
    tensors = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}
    instances = {"instances": [[1, 2]]}
    return {
        "model": client.get(f"{MODELS}sum/").status_code,
        "versions": client.get(f"{MODELS}sum/versions/").status_code,
        "lane": client.post(f"{MODELS}sum/predict/", json=ROW).status_code,
        "django": client.post(f"{MODELS}sum/predict/?format=json", json=ROW).status_code,
        "oip": client.post("/v2/models/sum/infer", json=tensors).status_code,
        "oip metadata": client.get("/v2/models/sum").status_code,
        "kserve": client.post("/v1/models/sum:predict", json=instances).status_code,
        "mlflow": client.post("/models/sum/invocations", json=instances).status_code,
    }


def test_a_restricted_model_is_not_there_at_any_face_without_a_grant(
    restricted: None, acme: House, http_for: HttpFor
) -> None:
    for person in ("bob", "erin"):
        assert set(everywhere(http_for(person)).values()) == {404}, everywhere(http_for(person))
        assert [model["name"] for model in http_for(person).get(MODELS).json()["results"]] == ["open"]
        assert "sum" not in http_for(person).get("/v2/models").text
        assert '"/api/v1/models/sum/predict/"' not in http_for(person).get("/api/v1/schema/?format=json").text
    assert set(everywhere(http_for("adam")).values()) == {200}

    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["predict"])
    assert set(everywhere(http_for("bob")).values()) == {200}, "the control: with the grant it is"
    with acme.inside():
        grants.take_grant(user=acme.user("bob"), model="sum")
    assert set(everywhere(http_for("bob")).values()) == {404}


def test_hidden_and_absent_answer_the_same_byte_for_byte(restricted: None, bob: httpx.Client) -> None:
    same = {"X-Request-ID": "same"}
    for path in (
        f"{MODELS}{{}}/",
        f"{MODELS}{{}}/aliases/champion/",
        f"{MODELS}{{}}/card/",
        "/v2/models/{}",
        "/v1/models/{}",
    ):
        hidden, absent = (bob.get(path.format(name), headers=same) for name in ("sum", "abc"))
        assert (hidden.status_code, hidden.content.replace(b"sum", b"abc")) == (404, absent.content), path
    hidden, absent = (bob.post(f"{MODELS}{name}/predict/", json=ROW, headers=same) for name in ("sum", "abc"))
    assert (hidden.status_code, hidden.content) == (404, absent.content)


def test_who_may_push_only_sees_the_model_and_may_not_ask_it(restricted: None, acme: House, bob: httpx.Client) -> None:
    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["push"])

    found = everywhere(bob)
    assert (found.pop("model"), found.pop("versions"), found.pop("oip metadata")) == (200, 200, 200)
    assert set(found.values()) == {403}, found
    assert bob.post(f"{MODELS}open/predict/", json=ROW).status_code == 200


def test_a_grant_to_push_and_to_promote_does_just_that(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")
    move: dict[str, Any] = {"json": {"version": 2}, "headers": {"If-Match": "*"}}
    champion = f"{MODELS}sum/aliases/champion/"
    assert bob.patch(f"{MODELS}sum/", json={"description": "x"}).status_code == 403
    assert bob.put(champion, **move).status_code == 403

    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["push"])
    assert bob.patch(f"{MODELS}sum/", json={"description": "x"}).status_code == 200
    assert bob.put(champion, **move).status_code == 403
    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["promote"])
    assert bob.put(champion, **move).status_code == 200
    assert bob.post(MODELS, json={"name": "other"}).status_code == 403


def test_pages_and_the_log_hide_what_is_restricted(
    restricted: None, acme: House, signed_in: Any, http_for: HttpFor
) -> None:
    from tests.logged import logged_prediction

    logged_prediction(acme, by="bob", id="01a1fd19-5c37-7fea-93a3-387aa748e341")
    client = signed_in("bob")

    assert "sum" not in text_of(client.get("/"))
    assert client.get("/models/sum/").status_code == 404
    assert http_for("bob").get("/api/v1/predictions/").json()["results"] == []
    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["predict"])
    assert client.get("/models/sum/").status_code == 200
    assert len(http_for("bob").get("/api/v1/predictions/").json()["results"]) == 1


def test_a_password_a_token_and_a_session_know_grants_as_a_key_does(
    restricted: None, acme: House, http_for: HttpFor
) -> None:
    from tests.cast import PASSWORD

    nobody = http_for(None)
    token = nobody.post("/api/token/", json={"username": "bob", "password": PASSWORD}).json()["access"]
    ways: list[dict[str, Any]] = [{"auth": ("bob", PASSWORD)}, {"headers": {"Authorization": f"Bearer {token}"}}]

    for way in ways:
        assert nobody.post(f"{MODELS}sum/predict/", json=ROW, **way).status_code == 404
        assert nobody.post(f"{MODELS}open/predict/", json=ROW, **way).status_code == 200
    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["predict"])
    for way in ways:
        assert nobody.post(f"{MODELS}sum/predict/", json=ROW, **way).status_code == 200


def test_a_service_account_is_granted_as_a_person_is(restricted: None, acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        robot = services.create_service_account(username="robot", responsible=acme.user("alice"))
        _, secret = services.create_key(user=robot, name="k", scopes=["predict", "models:read"])
    client = http_for(None)
    client.headers["X-API-Key"] = secret

    assert client.post(f"{MODELS}sum/predict/", json=ROW).status_code == 404
    with acme.inside():
        grants.grant(user=robot, model="sum", actions=["predict"])
    assert client.post(f"{MODELS}sum/predict/", json=ROW).status_code == 200


def test_only_who_manages_grants(acme: House) -> None:
    with acme.inside():
        for person in ("erin", "bob"):
            with pytest.raises(NotAllowed):
                grants.grant(user=acme.user("bob"), model="sum", actions=["predict"], by=acme.principal(person))
        grants.grant(user=acme.user("bob"), model="sum", actions=["predict"], by=acme.principal("adam"))


def test_what_cannot_be_granted_is_refused_with_what_can(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    url = f"{MODELS}sum/grants/{acme.user('bob').pk}/"

    bodies: list[dict[str, Any]] = [
        {"actions": []}, {"actions": ["manage"]}, {"actions": "push"}, {}, {"actions": ["push"], "model": "x"},
        {"actions": ["push"], "x": 1},
    ]  # fmt: skip
    for body in bodies:
        answer = alice.put(url, json=body)
        assert answer.status_code == 400, body
        assert answer.json()["errors"], body
    assert alice.put(f"{MODELS}absent/grants/{acme.user('bob').pk}/", json={"actions": ["push"]}).status_code == 404
    assert (
        alice.put(f"{MODELS}sum/grants/{'0' * 8}-0000-0000-0000-{'0' * 12}/", json={"actions": ["push"]}).status_code
        == 404
    )


def test_grants_are_listed_with_a_constant_number_of_queries(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    for person in ("bob", "erin"):
        answer = alice.put(f"{MODELS}sum/grants/{acme.user(person).pk}/", json={"actions": ["push", "predict"]})
        assert (answer.status_code, answer.json()["actions"]) == (201, ["predict", "push"])

    listed = alice.get(f"{MODELS}sum/grants/").json()["results"]
    assert [row["user"] for row in listed] == ["bob", "erin"]
    assert alice.delete(listed[0]["url"]).status_code == 204
    assert alice.get(listed[0]["url"]).status_code == 404
    assert alice.get(f"{MODELS}sum/grants/?format=csv").text.count("\n") == 2


def test_a_stale_if_match_changes_no_policy(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    read = alice.get(f"{MODELS}sum/access/")
    alice.patch(f"{MODELS}sum/access/", json={"restricted": True})

    stale = alice.patch(f"{MODELS}sum/access/", json={"four_eyes": True}, headers={"If-Match": read.headers["ETag"]})

    assert stale.status_code == 412
    assert alice.get(f"{MODELS}sum/access/").json() == {"model": "sum", "restricted": True, "four_eyes": False}


def test_changes_have_their_rows_in_the_audit(acme: House) -> None:
    from foretell.audit.models import Entry

    with acme.inside():
        grants.grant(user=acme.user("bob"), model="sum", actions=["push"])
        grants.grant(user=acme.user("bob"), model="sum", actions=["push"])  # no change, no row
        grants.take_grant(user=acme.user("bob"), model="sum")
        grants.change_policy(model="sum", restricted=True)

        rows = Entry.objects.order_by("-position")[:3]
        assert [row.action for row in rows] == ["model.access_changed", "grant.taken", "grant.given"]
        assert rows[2].after == {"user": "bob", "model": "sum", "actions": ["push"]}
