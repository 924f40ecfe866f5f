"""Every change through a tenant's admin: it is a service's, leaves its row of the audit, and is refused where the service refuses."""

from typing import Any

import httpx
import pytest

from foretell.admin.service_admin import ServiceAdmin
from tests.admin import addresses
from tests.admin.conftest import Where
from tests.audit.test_every_change import end_of, rows_since, secrets_in
from tests.cast import House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token


def sent(client: httpx.Client, path: str, fields: dict[str, Any]) -> httpx.Response:
    page = client.get(path).text
    hidden = (
        {"etag": page.split('name="etag" value="')[1].split('"')[0].replace("&quot;", '"')}
        if 'name="etag"' in page
        else {}
    )
    return client.post(path, data={"csrfmiddlewaretoken": csrf_token(page), **hidden, **fields})


def test_each_change_leaves_a_row_with_who_did_it(signed_in: SignedIn, where: Where, acme: House) -> None:
    adam = signed_in("adam")

    for name, change in addresses.CHANGES.items():
        end = end_of(acme)
        answer = sent(adam, where(name), change.fields)
        rows = rows_since(acme, end)
        assert answer.status_code == 302, (name, answer.text)
        assert change.action in [row.action for row in rows], name
        assert {(row.actor_name, row.credential, row.face) for row in rows} == {("adam", "session", "admin")}
        assert secrets_in(rows, acme, httpx.Response(200)) == []


def test_each_address_that_takes_a_form_has_a_change() -> None:
    writing = {name for name in addresses.PAGES if name.endswith(("_add", "_delete"))}

    assert writing <= addresses.CHANGES.keys()


def test_what_has_no_service_is_only_read(signed_in: SignedIn, where: Where, acme: House) -> None:
    alice = signed_in("alice")
    token, end = csrf_token(alice.get("/admin/").text), end_of(acme)
    read = [where(name) for name in addresses.READ if name.endswith("_change")]

    assert {alice.post(path, data={"csrfmiddlewaretoken": token, "name": "x"}).status_code for path in read} == {403}
    assert [row.action for row in rows_since(acme, end)] == ["permission.denied"] * len(read)


def test_sending_a_form_as_it_is_changes_nothing(signed_in: SignedIn, where: Where, acme: House) -> None:
    adam, end = signed_in("adam"), end_of(acme)
    unchanged = {"description": "", "limit_scope": "", "log_payload": "full", "redacted": ""}

    assert sent(adam, where("admin:registry_registeredmodel_change"), unchanged).status_code == 302
    assert sent(adam, where("admin:registry_modelversion_change"), {"description": ""}).status_code == 302
    assert sent(adam, where("admin:registry_alias_change"), {"number": "1"}).status_code == 302
    robot = {"role": "viewer", "is_active": "on", "responsible": "alice"}
    assert sent(adam, where("admin:accounts_user_change"), robot).status_code == 302
    assert rows_since(acme, end) == []


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("accounts_user_add", {"username": "ROBOT", "role": "editor"}, "is taken already"),
    ("accounts_user_add", {"username": "x y", "role": "editor"}, "letters, digits"),
    ("accounts_user_add", {"username": "ci", "role": "owner"}, "not one of the available choices"),
    ("accounts_user_change", {"role": "editor", "responsible": "bob"}, "no admin or owner"),
    ("accounts_user_change", {"role": "editor", "responsible": "nobody"}, "There is no user"),
    ("accounts_invitation_add", {"email": "bob@acme.example", "role": "viewer"}, "is somebody&#x27;s here already"),
    ("accounts_invitation_add", {"email": "n@acme.example", "role": "owner"}, "not one of the available choices"),
    ("registry_registeredmodel_add", {"name": "../x"}, "name"),
    ("registry_registeredmodel_add", {"name": "sum"}, "There is a model"),
    ("registry_registeredmodel_change", {"log_payload": "redacted", "redacted": "z"}, "has no input"),
    ("registry_alias_add", {"model_name": "sum", "alias": "champion", "number": "2"}, "champion"),
    ("registry_alias_add", {"model_name": "none", "alias": "a", "number": "1"}, "There is no such version"),
    ("registry_alias_change", {"number": "7"}, "There is no such version"),
    ("registry_alias_change", {"number": "2", "etag": '"1-99"'}, "was moved since you read it"),
]


def test_what_a_service_refuses_is_told_in_the_form_and_changes_nothing(
    signed_in: SignedIn, where: Where, acme: House
) -> None:
    adam, end = signed_in("adam"), end_of(acme)

    for name, fields, told in REFUSED:
        answer = sent(adam, where(f"admin:{name}"), fields)
        assert answer.status_code == 200, name
        assert "errorlist" in answer.text
        assert told in answer.text, told

    assert rows_since(acme, end) == []


def test_a_version_that_an_alias_points_at_is_not_deleted(signed_in: SignedIn, where: Where) -> None:
    adam = signed_in("adam")
    first = where("admin:registry_modelversion_delete")
    move_champion(adam, where, to="2")

    answer = sent(adam, first, addresses.YES)

    assert "points at" in adam.get(answer.headers["Location"]).text
    assert adam.get(where("admin:registry_modelversion_change")).status_code == 200


def test_the_last_owner_stays(signed_in: SignedIn, acme: House) -> None:
    alice = signed_in("alice")
    path = f"/admin/accounts/user/{acme.user('alice').pk}/change/"

    answer = sent(alice, path, {"role": "viewer", "is_active": "on"})

    assert answer.status_code == 200
    assert "owner" in answer.text.split("errorlist")[1]
    assert acme.user("alice").role == "owner"


def test_who_is_let_in_no_more_is_out_at_once(signed_in: SignedIn, http_for: HttpFor, acme: House) -> None:
    bob, path = http_for("bob"), f"/admin/accounts/user/{acme.user('bob').pk}/change/"
    assert bob.get("/api/v1/me/").status_code == 200

    sent(signed_in("adam"), path, {"role": "viewer"})

    assert bob.get("/api/v1/me/").status_code == 401


def test_where_a_model_asks_for_four_eyes_a_move_waits(signed_in: SignedIn, where: Where, acme: House) -> None:
    from foretell.accounts.grants import change_policy
    from foretell.registry.models import Alias, PromotionRequest

    with acme.inside():
        change_policy(model="sum", four_eyes=True)
    adam = signed_in("adam")

    answer = move_champion(adam, where, to="2")

    assert "waits for a second person" in adam.get(answer.headers["Location"]).text
    with acme.inside():
        assert Alias.objects.get().version.number == 1
        assert PromotionRequest.objects.get().requested_by.username == "adam"


def test_control_a_form_that_saved_itself_would_pass_the_services(
    signed_in: SignedIn, acme: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps the last owner is the service, and nothing of the form's."""

    def saved(self: ServiceAdmin, request: Any, form: Any, change: bool) -> Any:
        form.instance.role = form.cleaned_data["role"]
        form.instance.save()
        return form.instance

    monkeypatch.setattr(ServiceAdmin, "save_form", saved)
    alice, end = signed_in("alice"), end_of(acme)

    sent(alice, f"/admin/accounts/user/{acme.user('alice').pk}/change/", {"role": "viewer", "is_active": "on"})

    assert acme.user("alice").role == "viewer"
    assert rows_since(acme, end) == []


def move_champion(client: httpx.Client, where: Where, *, to: str) -> httpx.Response:
    return sent(client, where("admin:registry_alias_change"), {"number": to})
