"""Keys over REST: shown once, rolled with a grace, and never more than what asks for them."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.accounts import api_keys, people, services
from foretell.accounts.errors import KeyEnded, KeyRolled, TooManyKeys
from foretell.accounts.models import APIKey
from foretell.audit.models import Entry
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.models import ready_sum_model

KEYS, ME = "/api/v1/keys/", "/api/v1/me/"
BODY = {"name": "k", "scopes": ["predict"]}


def with_key(http_for: HttpFor, secret: str) -> httpx.Client:
    client = http_for(None)
    client.headers["X-API-Key"] = secret
    return client


def made(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(KEYS, json={**BODY, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_key_is_shown_once_and_listed_without_its_secret(bob: httpx.Client, http_for: HttpFor) -> None:
    answer = bob.post(KEYS, json={**BODY, "scopes": ["models:read"], "models": ["sum"]})

    key = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert key["api_key"].startswith(key["prefix"])
    assert with_key(http_for, key["api_key"]).get(ME).json()["key"]["models"] == ["sum"]
    read = bob.get(answer.headers["Location"])
    assert (read.json()["state"], "api_key" in read.json(), key["api_key"][15:] in bob.get(KEYS).text) == (
        "valid",
        False,
        False,
    )


def test_a_person_has_their_own_keys_and_an_admin_those_of_whom_they_manage(http_for: HttpFor, acme: House) -> None:
    def whose(person: str, query: str = "") -> set[str]:
        return {row["user"] for row in http_for(person).get(f"{KEYS}?{query}").json()["results"]}

    assert (whose("bob"), whose("erin")) == ({"bob"}, {"erin"})
    assert whose("adam") == {"adam", "erin", "bob"}
    assert whose("alice") == {"alice", "adam", "erin", "bob"}
    assert whose("adam", "user=BOB") == {"bob"}
    assert whose("bob", "user=alice") == set()


def test_who_gets_a_key_of_somebody_else_is_above_them(http_for: HttpFor, acme: House) -> None:
    with acme.inside():
        people.create_service_account(username="robot", role="admin", responsible=acme.user("alice"))
    adam, bob = http_for("adam"), http_for("bob")

    for owner, status in (("bob", 201), ("robot", 201), ("alice", 403), ("nobody", 400)):
        assert adam.post(KEYS, json={**BODY, "user": owner}).status_code == status, owner
    with acme.inside():
        services.create_user(username="ada", email="ada@acme.example", password=PASSWORD, role="admin")
    assert adam.post(KEYS, json={**BODY, "user": "ada"}).status_code == 403, "another admin is nobody to act as"
    assert bob.post(KEYS, json={**BODY, "user": "erin"}).status_code == 403


def test_a_key_gives_no_more_than_it_has(http_for: HttpFor, acme: House) -> None:
    until = timezone.now() + timedelta(days=1)
    with acme.inside():
        _, secret = services.create_key(
            user=acme.user("alice"), name="k", scopes=["admin"], models=["sum"], expires_at=until
        )
    client = with_key(http_for, secret)
    soon = (until - timedelta(hours=1)).isoformat()

    assert client.post(KEYS, json={**BODY, "expires_at": soon}).status_code == 403, "all models"
    assert client.post(KEYS, json={**BODY, "expires_at": soon, "models": ["other"]}).status_code == 403
    assert client.post(KEYS, json={**BODY, "models": ["sum"]}).json()["errors"][0]["attr"] == "expires_at"
    assert client.post(KEYS, json={**BODY, "models": ["sum"], "expires_at": soon}).status_code == 201
    roll = client.post(f"{KEYS}{acme.people['alice'].key_id}/roll/", json={})
    assert roll.status_code == 403, "rolling a wider key would be a way to get one"


def test_a_token_makes_keys_within_its_scopes(http_for: HttpFor, acme: House) -> None:
    nobody = http_for(None)

    def token(scope: str) -> dict[str, str]:
        body = {"username": "bob", "password": PASSWORD, "scope": scope}
        return {"Authorization": f"Bearer {nobody.post('/api/token/', json=body).json()['access']}"}

    assert nobody.post(KEYS, json=BODY, headers=token("predict")).status_code == 403
    assert nobody.post(KEYS, json=BODY, headers=token("admin")).status_code == 201


def test_a_rolled_key_works_at_once_and_the_old_one_until_the_grace_ends(
    http_for: HttpFor, acme: House, bob: httpx.Client
) -> None:
    ready_sum_model(acme)
    old = made(bob, scopes=["admin"], models=["sum"])
    rolled = bob.post(f"{old['url']}roll/", json={"grace_s": 3600})
    new = rolled.json()
    assert (new["rolled_from"], new["scopes"], new["models"]) == (old["id"], ["admin"], ["sum"])

    clients = [with_key(http_for, key["api_key"]) for key in (old, new)]
    row = {"a": 1, "b": 2}
    assert [client.get(ME).status_code for client in clients] == [200, 200]
    assert [client.post("/api/v1/models/sum/predict/", json=row).status_code for client in clients] == [200, 200]
    with acme.inside():
        APIKey.objects.filter(pk=old["id"]).update(expires_at=timezone.now())
    assert [client.get(ME).status_code for client in clients] == [401, 200]
    assert [client.post("/api/v1/models/sum/predict/", json=row).status_code for client in clients] == [401, 200]
    listed = {key["id"]: key for key in bob.get(KEYS).json()["results"]}
    assert (listed[old["id"]]["state"], listed[old["id"]]["rolled_to"]) == ("expired", new["id"])


def test_without_a_grace_the_old_key_is_over_at_once(http_for: HttpFor, bob: httpx.Client) -> None:
    old = made(bob)
    assert with_key(http_for, old["api_key"]).get(ME).status_code == 200

    assert bob.post(f"{old['url']}roll/", json={"grace_s": 0}).status_code == 201
    assert with_key(http_for, old["api_key"]).get(ME).status_code == 401


def test_a_grace_lengthens_no_life(acme: House) -> None:
    now = timezone.now()
    with acme.inside():
        key, _ = services.create_key(
            user=acme.user("bob"), name="k", scopes=["predict"], expires_at=now + timedelta(hours=1), now=now
        )
        new, _ = services.roll_key(key=key, now=now + timedelta(minutes=30), grace=timedelta(days=7))

        key.refresh_from_db()
        assert key.expires_at == now + timedelta(hours=1)
        assert new.expires_at is not None
        lasts = new.expires_at - (now + timedelta(minutes=30))
        assert timedelta(minutes=59) < lasts < timedelta(minutes=61), (
            "the new one lasts as long as the old was made for"
        )


def test_what_is_over_or_rolled_is_not_rolled(acme: House) -> None:
    now = timezone.now()
    with acme.inside():
        key, _ = services.create_key(user=acme.user("bob"), name="k", scopes=["predict"])
        services.roll_key(key=key, now=now)
        with pytest.raises(KeyRolled):
            services.roll_key(key=key, now=now)
        services.revoke_key(key=key, now=now)
        with pytest.raises(KeyEnded):
            services.roll_key(key=key, now=now)


def test_nobody_has_keys_without_end(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MAX_KEYS", 3)
    with acme.inside():
        made = [services.create_key(user=acme.user("bob"), name="k", scopes=["predict"])[0] for _ in range(2)]
        with pytest.raises(TooManyKeys):
            services.create_key(user=acme.user("bob"), name="k", scopes=["predict"])
        services.revoke_key(key=made[0], now=timezone.now())
        services.create_key(user=acme.user("bob"), name="k", scopes=["predict"])


def test_a_key_that_is_revoked_by_an_admin_is_out(http_for: HttpFor, acme: House) -> None:
    bob = http_for("bob")

    assert http_for("adam").delete(f"{KEYS}{acme.people['bob'].key_id}/").status_code == 204
    assert bob.get(ME).status_code == 401
    listed = http_for("adam").get(f"{KEYS}?state=revoked").json()["results"]
    assert [key["id"] for key in listed] == [acme.people["bob"].key_id]


@pytest.mark.parametrize(
    ("body", "attrs"),
    [
        ({}, {"name", "scopes"}),
        ({"name": "", "scopes": []}, {"name", "scopes"}),
        (
            {"name": 1, "scopes": ["x"], "models": [], "expires_at": "tomorrow"},
            {"name", "scopes.0", "models", "expires_at"},
        ),
        ({**BODY, "models": ["../x", "ok"]}, {"models.0"}),
        ({**BODY, "expires_at": "2001-01-01T00:00:00Z"}, {"expires_at"}),
        ({**BODY, "expires_at": "9999-01-01T00:00:00Z"}, {"expires_at"}),
        ({**BODY, "id": "x", "last_used_at": None, "hello": 1}, {"id", "last_used_at", "hello"}),
        ({**BODY, "models": "sum"}, {"models"}),
        ({"name": "x" * 101, "scopes": ["predict"] * 6}, {"name", "scopes"}),
    ],
)
def test_every_fault_of_a_new_key_is_named_at_once(bob: httpx.Client, body: dict[str, Any], attrs: set[str]) -> None:
    answer = bob.post(KEYS, json=body)

    assert answer.status_code == 400, answer.text
    assert {error["attr"] for error in answer.json()["errors"]} == attrs
    assert bob.get(KEYS).json()["count"] == 1


@pytest.mark.parametrize(
    "body", [{"grace_s": -1}, {"grace_s": "1"}, {"grace_s": 10**9}, {"grace_s": 1.5}, {"name": "x"}]
)
def test_what_a_roll_cannot_be_is_refused(bob: httpx.Client, acme: House, body: dict[str, Any]) -> None:
    assert bob.post(f"{KEYS}{acme.people['bob'].key_id}/roll/", json=body).status_code == 400


def test_lists_are_narrowed_ordered_and_exported(bob: httpx.Client, acme: House) -> None:
    made(bob, name="zeta", models=["sum"])
    made(bob, name="alpha", expires_at=(timezone.now() + timedelta(days=1)).isoformat())

    def names(query: str) -> list[str]:
        return [key["name"] for key in bob.get(f"{KEYS}?{query}").json()["results"]]

    assert names("model=sum") == ["zeta"]
    assert names("scope=admin") == ["test"]
    assert names("search=alp") == ["alpha"]
    assert names("ordering=name") == ["alpha", "test", "zeta"]
    assert names(
        f"expires_at__lt={datetime.now(timezone.get_default_timezone()).date() + timedelta(days=3)}T00:00:00Z"
    ) == ["alpha"]
    assert names("state=valid&last_used_at__isnull=true&page_size=1") == ["alpha"]
    assert bob.get(f"{KEYS}?state=odd").status_code == 400
    assert bob.get(f"{KEYS}?format=csv").text.count("\n") == 4
    assert "api_key" not in bob.get(f"{KEYS}?format=csv").text


def test_the_list_costs_the_same_however_long_it_is(acme: House, http_for: HttpFor) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from foretell.accounts.serializers import KeySerializer
    from foretell.accounts.views.keys import KeysView

    def cost() -> int:
        from rest_framework.test import APIRequestFactory

        request = APIRequestFactory().get(KEYS)
        request.user = acme.user("alice")
        view = KeysView()
        view.request = request
        with acme.inside(), CaptureQueriesContext(connection) as queries:
            rows = list(view.get_queryset())
            assert KeySerializer(rows, many=True, context={"request": request}).data
        return len([query for query in queries if query["sql"].startswith('SELECT "accounts')])

    before = cost()
    with acme.inside():
        for _ in range(5):
            key, _ = services.create_key(user=acme.user("bob"), name="k", scopes=["predict"])
            services.roll_key(key=key, now=timezone.now())

    assert cost() == before == 1


def test_an_idempotent_request_makes_one_key_and_shows_it_again(bob: httpx.Client) -> None:
    first, again = (bob.post(KEYS, json=BODY, headers={"Idempotency-Key": "abc"}) for _ in range(2))

    assert first.json() == again.json()
    assert bob.get(KEYS).json()["count"] == 2


def test_what_becomes_of_a_key_is_in_the_audit_without_its_secret(acme: House, bob: httpx.Client) -> None:
    key = made(bob)
    new = bob.post(f"{key['url']}roll/", json={}).json()
    bob.delete(new["url"])

    with acme.inside():
        rows = list(Entry.objects.filter(target_kind="key", target_id__in=[key["id"], new["id"]]).order_by("position"))
        assert [row.action for row in rows] == ["key.created", "key.rolled", "key.created", "key.revoked"]
        assert rows[1].after["rolled_to"] == new["id"]
        assert not any(secret["api_key"] in str(vars(row)) for row in rows for secret in (key, new))
