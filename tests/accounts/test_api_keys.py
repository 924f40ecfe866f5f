"""API keys: shown once, kept as a digest, narrowed by scope, model and time."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell import keys
from foretell.accounts import services
from foretell.accounts.models import APIKey
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


def client_with(http_for: HttpFor, house: House, person: str = "alice", **options: Any) -> httpx.Client:
    with house.inside():
        _, secret = services.create_key(user=house.user(person), name="narrow", **{"scopes": ["admin"], **options})
    client = http_for(None, tenant=house.tenant.name)
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def outcomes(client: httpx.Client) -> dict[str, int]:
    base = "/api/v1/models"
    return {
        "me": client.get("/api/v1/me/").status_code,
        "list": client.get(f"{base}/").status_code,
        "predict": client.post(f"{base}/sum/predict/", json={"a": 1, "b": 2}).status_code,
        "create": client.post(f"{base}/", json={"name": "wine"}).status_code,
        "archive": client.delete(f"{base}/sum/").status_code,
    }


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["predict"], {"me", "predict"}),
        (["models:read"], {"me", "list"}),
        (["models:write"], {"me", "list", "create", "archive"}),
        (["jobs"], {"me"}),
        (["predict", "models:read"], {"me", "predict", "list"}),
        (["admin"], {"me", "list", "predict", "create", "archive"}),
    ],
)
def test_a_key_may_what_its_scopes_say(http_for: HttpFor, acme: House, scopes: list[str], allowed: set[str]) -> None:
    ready_sum_model(acme)

    found = outcomes(client_with(http_for, acme, scopes=scopes))

    assert {what for what, status in found.items() if status < 400} == allowed
    assert {status for what, status in found.items() if what not in allowed} <= {403}


def test_no_scope_gives_more_than_the_persons_role(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)

    found = outcomes(client_with(http_for, acme, "bob", scopes=["admin", "models:write"]))

    assert {what for what, status in found.items() if status < 400} == {"me", "list", "predict"}


def test_a_role_that_was_taken_away_is_gone_from_the_keys_too(http_for: HttpFor, acme: House) -> None:
    erin = http_for("erin")
    assert erin.post("/api/v1/models/", json={"name": "wine"}).status_code == 201

    with acme.inside():
        services.change_role(user=acme.user("erin"), role="viewer")

    assert erin.post("/api/v1/models/", json={"name": "beer"}).status_code == 403


def test_a_key_of_one_model_knows_of_no_other(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme, name="sum")
    ready_sum_model(acme, name="other")
    client, same = client_with(http_for, acme, models=["sum"]), {"X-Request-ID": "same"}

    assert client.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).status_code == 200
    assert [model["name"] for model in client.get("/api/v1/models/").json()["results"]] == ["sum"]
    for path in ("/api/v1/models/{}/", "/api/v1/models/{}/versions/", "/api/v1/models/{}/aliases/champion/"):
        hidden, absent = (client.get(path.format(name), headers=same) for name in ("other", "absent"))
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert client.post("/api/v1/models/other/predict/", json={"a": 1, "b": 2}).status_code == 404


def test_a_key_expires_at_its_time(http_for: HttpFor, acme: House) -> None:
    assert (
        client_with(http_for, acme, expires_at=timezone.now() + timedelta(minutes=1)).get("/api/v1/me/").status_code
        == 200
    )
    yesterday, past = timezone.now() - timedelta(days=1), timezone.now() - timedelta(seconds=1)
    assert client_with(http_for, acme, expires_at=past, now=yesterday).get("/api/v1/me/").status_code == 401


def test_a_revoked_key_opens_nothing_and_revoking_it_again_changes_nothing(http_for: HttpFor, acme: House) -> None:
    client = client_with(http_for, acme)
    with acme.inside():
        key = APIKey.objects.get(name="narrow")
        services.revoke_key(key=key, now=timezone.now())
        revoked_at = APIKey.objects.get(pk=key.pk).revoked_at
        services.revoke_key(key=key, now=timezone.now())

        assert APIKey.objects.get(pk=key.pk).revoked_at == revoked_at
    assert client.get("/api/v1/me/").status_code == 401


def test_two_keys_of_one_person_work_side_by_side(http_for: HttpFor, acme: House) -> None:
    first, second = client_with(http_for, acme), client_with(http_for, acme)

    assert first.get("/api/v1/me/").status_code == second.get("/api/v1/me/").status_code == 200


def test_the_database_holds_no_key(acme: House) -> None:
    from django.db import connection

    secret = acme.people["alice"].key.rsplit("_", 1)[1][: keys.SECRET_CHARS]

    with acme.inside(), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(k::text, ' ') FROM accounts_apikey k")
        stored = str(cursor.fetchone())
    assert acme.people["alice"].key_id in stored
    assert secret not in stored


def test_another_installations_digest_verifies_nothing(http_for: HttpFor, acme: House) -> None:
    from django.test import override_settings

    alice = http_for("alice")

    with override_settings(SECRET_KEY="another installation's secret, as long as it has to be"):
        assert alice.get("/api/v1/me/").status_code == 401
    assert alice.get("/api/v1/me/").status_code == 200


@pytest.mark.parametrize("presented", ["known", "wrong secret", "unknown id", "malformed"])
def test_a_known_and_an_unknown_key_cost_the_same_work(
    acme: House, monkeypatch: pytest.MonkeyPatch, presented: str
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    real = keys.parse_key(acme.people["alice"].key)
    assert real is not None
    key = {"known": real, "wrong secret": keys.Key(real.id, "x" * 32), "unknown id": keys.new_key(), "malformed": None}[
        presented
    ]
    digested: list[str] = []
    digest = keys.digest

    def counted(secret: str, *, pepper: bytes) -> str:
        digested.append(secret)
        return digest(secret, pepper=pepper)

    monkeypatch.setattr(keys, "digest", counted)

    with acme.inside():
        APIKey.objects.update(last_used_at=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            found = services.verify_key(key, now=timezone.now())

    assert (found is not None) == (presented == "known")
    assert len(digested) == 1
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 1


def test_the_last_use_is_noted_at_most_once_a_minute(acme: House) -> None:
    key, now = keys.parse_key(acme.people["alice"].key), timezone.now()

    def used_at(after_s: int) -> Any:
        with acme.inside():
            services.verify_key(key, now=now + timedelta(seconds=after_s))
            return APIKey.objects.get(pk=acme.people["alice"].key_id).last_used_at

    with acme.inside():
        APIKey.objects.update(last_used_at=None)
    assert [used_at(0), used_at(59), used_at(60)] == [now, now, now + timedelta(seconds=60)]


@pytest.mark.parametrize(
    "options",
    [{"scopes": []}, {"scopes": ["root"]}, {"scopes": ["predict", "root"]}, {"name": ""}, {"name": "x" * 101}],
)
def test_a_key_that_makes_no_sense_is_refused(acme: House, options: dict[str, Any]) -> None:
    with acme.inside(), pytest.raises(services.InvalidAccount):
        services.create_key(**{"user": acme.user("alice"), "name": "x", "scopes": ["predict"], **options})
