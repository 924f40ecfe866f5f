"""Keys: one signs at a time, the next is published before it does, the last until its tokens are over; the private half is sealed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import jwt
import pytest
from django.db import connections
from django.utils import timezone

from foretell.accounts.tokens import services, signing_keys
from foretell.accounts.tokens.checking import verify_access
from foretell.accounts.tokens.models import SigningKey
from foretell.accounts.tokens.sealing import opened
from foretell.accounts.tokens.signing_keys import jwks, published_keys, signer
from foretell.audit.models import Entry
from foretell.gateway.lane import Gateway
from foretell.inference.loaded_models import LoadedModels
from tests.accounts.tokens.workshop import bearer, tokens_of
from tests.cast import Cast, House
from tests.http import HttpFor
from tests.secret_keys import use_secret_key

JWKS = "/.well-known/jwks.json"
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.get_default_timezone())
DAY = timedelta(days=1)


def test_the_jwks_is_public_cacheable_and_in_its_standard_form(acme: House, http_for: HttpFor) -> None:
    tokens_of(acme, "bob")

    answer = http_for(None).get(JWKS)

    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
    assert http_for(None).head(JWKS).status_code == 200
    assert http_for(None).post(JWKS).status_code == 405


def test_a_jwks_is_read_without_making_a_key(acme: House, http_for: HttpFor) -> None:
    assert http_for(None).get(JWKS).json() == {"keys": []}
    with acme.inside():
        assert not SigningKey.objects.exists()


def test_each_tenant_has_keys_of_its_own(cast: Cast, http_for: HttpFor) -> None:
    tokens_of(cast.acme, "bob")
    tokens_of(cast.globex, "carol")

    acme, globex = (http_for(None, tenant=name).get(JWKS).json()["keys"] for name in ("acme", "globex"))

    assert {key["kid"] for key in acme}.isdisjoint(key["kid"] for key in globex)
    assert http_for(None, tenant="globex").get(f"/t/acme{JWKS}").json()["keys"] == acme


def test_a_key_rotates_without_a_token_that_cannot_be_verified(acme: House) -> None:
    """Hour by hour over three months: whoever read the JWKS an hour ago verifies every token that is valid now."""
    with acme.inside():
        user, seen, kids = acme.user("bob"), jwks([]), []
        for hour in range(0, 24 * 95, 6):
            now = NOW + timedelta(hours=hour)
            signing_keys.rotate_if_due(now=now)
            kid = signer(now=now).kid
            if seen["keys"]:
                assert kid in [key["kid"] for key in seen["keys"]], f"after {hour} hours"
            if kid not in kids:
                kids.append(kid)
            seen = jwks(published_keys(now=now))
            assert len(seen["keys"]) <= 3
    assert user is not None
    assert len(kids) == 4, "every thirty days"


def test_an_old_key_stays_until_its_tokens_are_over_and_is_then_forgotten(acme: House) -> None:
    with acme.inside():
        first = signer(now=NOW).kid
        second = signing_keys.rotate(now=NOW).kid
        takes_over = NOW + DAY

        assert signer(now=takes_over - timedelta(seconds=1)).kid == first
        assert signer(now=takes_over).kid == second
        for after, expected in ((timedelta(), 2), (timedelta(minutes=60), 2), (timedelta(minutes=62), 1)):
            assert len(published_keys(now=takes_over + after)) == expected

        signing_keys.rotate_if_due(now=takes_over + timedelta(minutes=30))
        assert SigningKey.objects.count() == 2
        signing_keys.rotate_if_due(now=takes_over + timedelta(minutes=62))
        assert [key.kid for key in SigningKey.objects.all()] == [second]


def test_a_token_of_an_old_key_is_verified_as_long_as_it_is_valid(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "PUBLISHED_AHEAD", timedelta())
    pair = tokens_of(acme, "bob")
    with acme.inside():
        now = timezone.now()
        signing_keys.rotate(now=now)

        assert (
            jwt.get_unverified_header(tokens_of(acme, "bob").access)["kid"]
            != jwt.get_unverified_header(pair.access)["kid"]
        )
        assert verify_access(pair.access, now=timezone.now()) is not None


def test_asking_twice_for_another_key_makes_one(acme: House) -> None:
    with acme.inside():
        signer(now=NOW)

        assert signing_keys.rotate(now=NOW).kid == signing_keys.rotate(now=NOW + timedelta(hours=1)).kid
        assert SigningKey.objects.count() == 2
        assert Entry.objects.filter(action="signing_key.created").exists()


def test_twenty_at_once_make_one_first_key(acme: House) -> None:
    now = timezone.now()

    def ask(_: int) -> str:
        try:
            with acme.inside():
                return signer(now=now).kid
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        kids = set(pool.map(ask, range(20)))

    assert len(kids) == 1
    with acme.inside():
        assert SigningKey.objects.count() == 1


# --- the private half ---


def test_the_private_key_is_sealed_for_its_tenant_and_its_id(cast: Cast) -> None:
    with cast.acme.inside():
        private_key = signer(now=NOW).private_key.private_bytes_raw()
        row = SigningKey.objects.get()
        assert private_key not in bytes(row.sealed)
        assert opened(bytes(row.sealed), kid=row.kid) is not None
        assert opened(bytes(row.sealed), kid="another") is None
    with cast.globex.inside():
        assert opened(bytes(row.sealed), kid=row.kid) is None


def test_with_another_secret_key_another_key_signs_and_old_tokens_are_still_verified(
    acme: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = tokens_of(acme, "bob")
    use_secret_key(monkeypatch, "x" * 50)

    fresh = tokens_of(acme, "bob")

    with acme.inside():
        assert SigningKey.objects.count() == 2
        assert verify_access(pair.access, now=timezone.now()) is not None
        assert verify_access(fresh.access, now=timezone.now()) is not None


def test_no_private_key_is_in_memory_of_the_lane_or_on_disk(
    acme: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("foretell.gateway.lane.catalogue_directory", lambda: tmp_path)
    tokens_of(acme, "bob")
    with acme.inside():
        key = signer(now=timezone.now())
        secrets = [key.private_key.private_bytes_raw(), bytes(SigningKey.objects.get().sealed)]
        public_key = SigningKey.objects.get().public_key.encode()
    gateway = Gateway(loaded=LoadedModels())
    gateway.refresh()
    gateway.end()

    known = gateway.catalogue.known(acme.tenant.schema_name)
    assert known is not None
    snapshot = (tmp_path / "snapshot").read_bytes()
    for kept in (known.packed, snapshot):
        assert public_key in kept, "the canary is looked for where it is"
        assert not any(secret in kept for secret in secrets)


def test_a_token_is_verified_from_a_snapshot(acme: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("foretell.gateway.lane.catalogue_directory", lambda: tmp_path)
    pair = tokens_of(acme, "bob")
    first = Gateway(loaded=LoadedModels())
    first.refresh()
    first.end()

    second = Gateway(loaded=LoadedModels())
    assert second._keeper.load(second.catalogue)
    entry = second.catalogue.named("acme")

    assert entry is not None
    assert second.credentials.verify_token(entry, pair.access) is not None
    second.end()


def test_a_new_key_signs_at_once_where_the_old_one_is_known_to_others(acme: House, http_for: HttpFor) -> None:
    tokens_of(acme, "bob")
    with acme.inside():
        signing_keys.rotate(now=timezone.now())
        made = signing_keys.replace_all(now=timezone.now())

    keys = http_for(None).get(JWKS).json()["keys"]

    assert [key["kid"] for key in keys] == [made.kid]
    pair = tokens_of(acme, "bob")
    assert http_for(None).get("/v2", headers=bearer(pair.access)).status_code == 200


def test_the_task_rotates(acme: House) -> None:
    with acme.inside():
        signer(now=NOW)

        services.clean_up(now=NOW + 29 * DAY + timedelta(minutes=1))

        assert [key.signs_from for key in SigningKey.objects.all()] == [NOW, NOW + 30 * DAY + timedelta(minutes=1)]
