"""GET /api/v1/me/: who a credential belongs to; each way to present one, and each way to fail."""

import base64

import pytest

from tests.cast import PASSWORD, House
from tests.http import HttpFor


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def test_a_key_names_its_person_role_and_tenant(http_for: HttpFor) -> None:
    me = http_for("bob").get("/api/v1/me/").json()

    assert (me["username"], me["role"], me["tenant"]) == ("bob", "viewer", "acme")


def test_every_way_to_present_a_credential_is_taken(http_for: HttpFor, acme: House) -> None:
    bob, nobody = acme.people["bob"], http_for(None)

    for headers in (
        {"Authorization": f"Bearer {bob.key}"},
        {"authorization": f"bearer {bob.key}"},
        {"X-API-Key": bob.key},
        basic("bob", PASSWORD),
        basic("BOB@acme.example", PASSWORD),
        basic(bob.key_id, bob.key),
        basic(bob.key_id, bob.key.rsplit("_", 1)[1]),
    ):
        answer = nobody.get("/api/v1/me/", headers=headers)
        assert answer.status_code == 200, (headers, answer.text)
        assert answer.json()["username"] == "bob"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ft_aaaaaaaaaa_" + "0" * 38},
        {"Authorization": "Bearer " + "x" * 10_000},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"bob\0:x").decode()},
        {"Authorization": "Digest x"},
        {"X-API-Key": ""},
        basic("bob", "wrong password"),
        basic("nobody", PASSWORD),
    ],
)
def test_what_is_not_a_credential_is_401_with_a_challenge(http_for: HttpFor, headers: dict[str, str]) -> None:
    answer = http_for(None).get("/api/v1/me/", headers=headers)

    assert answer.status_code == 401, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_a_key_of_another_tenant_is_not_known(http_for: HttpFor) -> None:
    assert http_for("carol").get("/api/v1/me/").status_code == 200
    assert http_for("carol", tenant="acme").get("/api/v1/me/").status_code == 401


def test_the_host_and_the_prefix_are_the_same_place(http_for: HttpFor, acme: House) -> None:
    below = http_for(None, tenant="globex").get("/t/acme/api/v1/me/", headers={"X-API-Key": acme.people["bob"].key})

    assert below.json()["username"] == "bob"


def test_a_changed_revoked_or_expired_key_opens_nothing(http_for: HttpFor, acme: House) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from foretell.accounts.models import APIKey

    bob = http_for("bob")
    changed = acme.people["bob"].key[:-1] + ("A" if acme.people["bob"].key[-1] != "A" else "B")
    assert http_for(None).get("/api/v1/me/", headers={"X-API-Key": changed}).status_code == 401
    for field in ("revoked_at", "expires_at"):
        with acme.inside():
            APIKey.objects.filter(user__username="bob").update(**{field: timezone.now() - timedelta(seconds=1)})
        assert bob.get("/api/v1/me/").status_code == 401
        with acme.inside():
            APIKey.objects.filter(user__username="bob").update(**{field: None})
        assert bob.get("/api/v1/me/").status_code == 200


def test_somebody_who_was_deactivated_is_out_by_key_and_by_password(http_for: HttpFor, acme: House) -> None:
    from foretell.accounts.services import deactivate_user

    with acme.inside():
        deactivate_user(user=acme.user("bob"))

    assert http_for("bob").get("/api/v1/me/").status_code == 401
    assert http_for(None).get("/api/v1/me/", headers=basic("bob", PASSWORD)).status_code == 401


def test_a_method_that_is_not_there_is_405_as_a_problem(http_for: HttpFor) -> None:
    answer = http_for("alice").post("/api/v1/me/", json={})

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
