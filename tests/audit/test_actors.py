"""Who acted is said at each door: a request, a page, a command, a task."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from foretell.audit.actors import Actor, Credential, Face, current_actor
from foretell.audit.models import Entry
from foretell.tenants.tasks import tenant_task
from tests.cast import House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token


def newest(house: House) -> Entry:
    with house.inside():
        row: Entry = Entry.objects.order_by("-position")[0]
        return row


def test_a_key_that_acts_is_named_with_its_person_its_address_and_the_request(acme: House, erin: httpx.Client) -> None:
    answer = erin.post("/api/v1/models/", json={"name": "wine"}, headers={"X-Request-ID": "r-17"})

    row = newest(acme)
    assert answer.status_code == 201, answer.text
    assert (row.action, row.target_kind, row.target_id) == ("model.created", "model", "wine")
    assert (row.actor_id, row.actor_name) == (str(acme.user("erin").pk), "erin")
    assert (row.credential, row.credential_id) == ("key", acme.people["erin"].key_id)
    assert (row.face, row.address, row.request_id) == ("rest", "127.0.0.1", "r-17")


def test_a_password_that_acts_is_no_key(acme: House, http_for: HttpFor) -> None:
    person = acme.people["erin"]

    http_for(None).post("/api/v1/models/", json={"name": "wine"}, auth=(person.username, person.password))

    row = newest(acme)
    assert (row.actor_name, row.credential, row.credential_id) == ("erin", "password", "")


def test_a_session_that_acts_over_rest_is_a_session(acme: House, signed_in: SignedIn) -> None:
    browser = signed_in("erin")
    token = csrf_token(browser.get("/settings/keys/").text)

    answer = browser.post(
        "/api/v1/models/", json={"name": "wine"}, headers={"X-CSRFToken": token, "Accept": "application/json"}
    )

    row = newest(acme)
    assert answer.status_code == 201, answer.text
    assert (row.actor_name, row.credential, row.face) == ("erin", "session", "rest")


def test_a_token_that_acts_is_named_by_its_sign_in(acme: House, http_for: HttpFor) -> None:
    person, client = acme.people["erin"], http_for(None)
    access = client.post("/api/token/", json={"username": person.username, "password": person.password}).json()[
        "access"
    ]

    client.post("/api/v1/models/", json={"name": "wine"}, headers={"Authorization": f"Bearer {access}"})

    row = newest(acme)
    assert (row.action, row.actor_name, row.credential) == ("model.created", "erin", "token")
    assert re.fullmatch(r"[0-9a-f-]{36}", row.credential_id)


def test_who_acted_is_forgotten_when_the_request_ends(acme: House, erin: httpx.Client) -> None:
    erin.post("/api/v1/models/", json={"name": "wine"})

    assert current_actor() == Actor(name="system")


@pytest.fixture
def no_more_tasks() -> Iterator[None]:
    from procrastinate.contrib.django import app

    tasks = dict(app.tasks)
    yield
    app.tasks.clear()
    app.tasks.update(tasks)


def test_a_task_acts_under_its_own_name(acme: House, no_more_tasks: None) -> None:
    seen: list[Actor] = []

    @tenant_task()
    def build_things() -> None:
        seen.append(current_actor())

    build_things.func(tenant=str(acme.tenant.id))

    assert seen == [Actor(name="build_things", credential=Credential.TASK, face=Face.TASK)]


def test_a_command_acts_as_whoever_typed_it(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.cli.server import installation as entrance

    monkeypatch.setattr("getpass.getuser", lambda: "olga")
    monkeypatch.setattr("socket.gethostname", lambda: "ops-1")

    with entrance.installation(migrated=False):
        actor = current_actor()

    assert (actor.name, actor.credential, actor.face, actor.address) == ("olga", "cli", "cli", "ops-1")


def test_a_command_of_somebody_without_a_name_is_theirs_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.cli.server import installation as entrance

    def nameless(*_: Any) -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nameless)

    assert re.fullmatch(r"uid \d+", entrance._operator())
