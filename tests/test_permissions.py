"""Everybody at every route, by every method (`permission_matrix`). A route without a row fails.

Alice owns acme, Adam administers it, Erin edits, Bob reads. Carol belongs to globex: at acme's door her key is not known, and at
her own, what is acme's is not there.
"""

import httpx
import pytest
from django.urls import get_resolver

from tests.audit.audited import audited_change
from tests.cast import House
from tests.http import HttpFor
from tests.logged import logged_prediction
from tests.made_once import made_once
from tests.models import ready_sum_model
from tests.permission_matrix import (
    BY_LINK,
    COMING,
    ENTRY,
    FLOWS,
    INVITATION,
    MATRIX,
    OPEN_TO_ALL,
    PAGES,
    POST_ONLY,
    PREDICTION,
    PROMOTION,
    PROTOCOLS,
    PUBLIC,
    ROBOT,
    STEPS,
    TOKENS,
    Row,
    flattened,
    routes,
)


@pytest.fixture(autouse=True)
def furnished(acme: House) -> None:
    """What the rows' addresses name."""
    made_once(acme, furnish)


def furnish(house: House) -> None:
    """Make two versions of a model, one logged prediction, a row of the audit, and the robot with all it has to do with."""
    ready_sum_model(house)
    ready_sum_model(house, tweak="second")
    logged_prediction(house, by="alice", id=PREDICTION)
    audited_change(house, id=ENTRY)
    with house.inside():
        make_robot()


def make_robot() -> None:
    """Make a service account with a key and a grant, which asked for a promotion; and somebody who was invited."""
    from datetime import timedelta

    from django.utils import timezone

    from foretell.accounts.models import APIKey, Invitation, ModelGrant, User
    from foretell.registry.models import ModelVersion, PromotionRequest

    User.objects.create(id=ROBOT, username="robot", is_person=False, password="!", responsible=None)
    APIKey.objects.create(key_id="robotrobot", secret_digest="0", user_id=ROBOT, name="k", scopes=["predict"])
    ModelGrant.objects.create(user_id=ROBOT, model_name="sum", actions=["promote"])
    version = ModelVersion.objects.get(model__name="sum", number=2)
    PromotionRequest.objects.create(
        id=PROMOTION, model=version.model, alias="champion", version=version, from_number=1, requested_by_id=ROBOT
    )
    Invitation.objects.create(id=INVITATION, email="i@acme.example", expires_at=timezone.now() + timedelta(days=1))


def asked(client: httpx.Client, row: Row) -> httpx.Response:
    return client.request(row.method, row.path, **row.request)


@pytest.mark.parametrize("row", MATRIX, ids=str)
@pytest.mark.parametrize(
    ("person", "role"), [("bob", "viewer"), ("erin", "editor"), ("adam", "admin"), ("alice", "owner")]
)
def test_everybody_gets_what_their_role_includes(http_for: HttpFor, row: Row, person: str, role: str) -> None:
    answer = asked(http_for(person), row)

    assert answer.status_code == row.status_for(role), answer.text[:500]


@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_without_a_credential_nothing_is_open(http_for: HttpFor, row: Row) -> None:
    assert asked(http_for(None), row).status_code == row.anonymous


@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_another_tenants_key_is_not_known_and_what_is_not_theirs_is_not_there(http_for: HttpFor, row: Row) -> None:
    assert asked(http_for("carol", tenant="acme"), row).status_code == 401
    if row.is_somebodys:
        assert asked(http_for("carol"), row).status_code == 404


@pytest.mark.parametrize("path", PAGES.values())
def test_pages_send_a_stranger_to_the_login(http_for: HttpFor, path: str) -> None:
    answer = http_for(None).get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("path", STEPS.values())
@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_no_step_is_taken_of_a_sign_in_that_was_not_begun(http_for: HttpFor, path: str, person: str | None) -> None:
    answer = http_for(person, tenant="acme").get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")


@pytest.mark.parametrize("path", sorted({*OPEN_TO_ALL.values()}))
@pytest.mark.parametrize("person", [None, "bob", "carol"])
def test_what_is_open_is_open_to_all_and_the_same_for_all(http_for: HttpFor, path: str, person: str | None) -> None:
    assert http_for(person, tenant="acme").get(path).status_code == 200


@pytest.mark.parametrize("route", FLOWS)
@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_account_flows_take_no_credential_but_a_session(http_for: HttpFor, route: str, person: str | None) -> None:
    method, path, status = FLOWS[route]

    assert http_for(person, tenant="acme").request(method, path, headers={"Accept": "text/html"}).status_code == status


@pytest.mark.parametrize("path", BY_LINK.values())
@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_a_link_that_was_made_up_opens_nothing_whoever_follows_it(
    http_for: HttpFor, path: str, person: str | None
) -> None:
    assert http_for(person, tenant="acme").get(path, headers={"Accept": "text/html"}).status_code == 404


@pytest.mark.parametrize("route", TOKENS)
@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_a_credential_beside_the_body_gives_no_token_and_takes_none(
    http_for: HttpFor, route: str, person: str | None
) -> None:
    path, body = TOKENS[route]

    answer = http_for(person, tenant="acme").post(path, json=body)

    assert answer.status_code == (200 if route == "tokens:revoke" else 401)
    assert "access" not in answer.json()


@pytest.mark.parametrize("path", COMING.values())
@pytest.mark.parametrize("person", [None, "alice", "carol"])
def test_a_token_that_was_made_up_lets_nobody_come_whoever_sends_it(
    http_for: HttpFor, path: str, person: str | None
) -> None:
    body = {"token": "01a1fd195c377fea93a30000000000c0:1t:AAAA", "username": "eve", "password": "a long enough phrase"}

    assert http_for(person, tenant="acme").post(path, json=body).status_code == 404


def test_an_api_key_is_no_session_and_opens_no_page(http_for: HttpFor) -> None:
    assert http_for("alice").get("/", headers={"Accept": "text/html"}).status_code == 302


def test_every_route_has_a_row() -> None:
    covered = {(row.route, row.method) for row in MATRIX}
    pages = {*PAGES, *STEPS, *OPEN_TO_ALL, *BY_LINK, *POST_ONLY, *TOKENS, *COMING}

    missing = [
        (name, method)
        for name, method in routes()
        if name not in pages | FLOWS.keys() and (name, method) not in covered
    ]

    assert not missing, f"routes without a row in the matrix: {missing}"


def test_every_route_of_another_protocol_has_a_row() -> None:
    from foretell.config.asgi import services
    from foretell.serving.composing import faces

    missing = [
        (method, route.pattern.pattern)
        for face in faces(services)
        for route in getattr(face, "routes", ())
        for method in route.methods.keys() - {"HEAD"}
        if route.pattern.pattern not in PUBLIC
        and not any(row.method == method and route.pattern.fullmatch(row.path) for row in PROTOCOLS)
    ]

    assert not missing


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_a_protocols_health_is_open_to_all(http_for: HttpFor, path: str) -> None:
    assert http_for(None).get(path).status_code == 200


def test_a_view_that_does_not_say_what_its_methods_do_lets_nobody_in() -> None:
    for pattern in flattened(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
        if view is not None and hasattr(view, "permission_classes"):
            assert view.required_actions, f"{pattern.name} has no required_actions"
