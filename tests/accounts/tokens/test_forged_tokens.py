"""No forged token is accepted, by Django's views or by the fast lane; honest ones are, and with the checks off the forged ones would be."""

import json
from typing import Any

import httpx
import pytest

from foretell.accounts.tokens.claims import AccessToken, read_claims
from tests.accounts.tokens.forgeries import Forgery, forgeries
from tests.accounts.tokens.workshop import Workshop, bearer, content_of, opened_workshop, posted
from tests.cast import Cast
from tests.http import HttpFor
from tests.models import ready_sum_model

ME, LANE, PREDICT = "/api/v1/me/", "/v2", "/api/v1/models/sum/predict/"
FORGERIES = forgeries()
ALL = [forgery for some in FORGERIES.values() for forgery in some]


@pytest.fixture
def shop(cast: Cast) -> Workshop:
    ready_sum_model(cast.acme)
    return opened_workshop(cast)


def answers(client: httpx.Client, token: str) -> list[int]:
    """Return what Django's views, the lane, and a prediction answer."""
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1", "replace")}
    return [
        client.get(ME, headers=headers).status_code,
        client.get(LANE, headers=headers).status_code,
        client.post(PREDICT, headers=headers, json={"a": 1, "b": 2}).status_code,
    ]


def let_in(http_for: HttpFor, shop: Workshop, some: list[Forgery]) -> list[str]:
    """Return which of them were answered otherwise than 401 by somebody."""
    client, refused = http_for(None), [401, 401, 401]
    return [str(forgery) for forgery in some if answers(client, forgery.make(shop)) != refused]


def test_there_are_enough_of_them_and_each_is_another(shop: Workshop) -> None:
    names = [str(forgery) for forgery in ALL]
    tokens = [forgery.make(shop) for forgery in ALL]

    assert len(names) >= 250
    assert len(names) == len(set(names)) == len(set(tokens))
    assert shop.pair.access not in tokens


@pytest.mark.parametrize("kind", FORGERIES)
def test_no_forged_token_is_known(http_for: HttpFor, shop: Workshop, kind: str) -> None:
    assert let_in(http_for, shop, FORGERIES[kind]) == []


def test_the_honest_ones_are_let_in(http_for: HttpFor, shop: Workshop) -> None:
    assert answers(http_for(None), shop.pair.access) == [200, 200, 200]
    assert answers(http_for(None, tenant="globex"), shop.elsewhere.access)[:2] == [200, 200]
    assert answers(http_for(None), shop.with_claims()) == [
        200,
        200,
        200,
    ]  # what the forger's tools make is not refused for its make


def unchecked(token: str, **_: Any) -> AccessToken | None:
    """Believe whatever a token says."""
    try:
        return read_claims(json.loads(content_of(token.split(".")[1])))
    except (ValueError, IndexError, TypeError):
        return None


def test_with_verification_off_they_would_be_let_in(
    http_for: HttpFor, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each of these is refused by what is verified, and by nothing else."""
    monkeypatch.setattr("foretell.accounts.tokens.checking.verified", unchecked)
    monkeypatch.setattr("foretell.gateway.tokens.verified", unchecked)

    assert len(let_in(http_for, shop, ALL)) >= 110


def test_a_forged_token_is_not_verified_and_ends_nothing(http_for: HttpFor, shop: Workshop) -> None:
    for forgery in ALL[::5]:
        token = forgery.make(shop)
        if token != shop.pair.refresh:  # which is honest there
            assert posted(http_for, "verify/", token=token).status_code in (400, 401), forgery
            assert posted(http_for, "refresh/", refresh=token).status_code in (400, 401), forgery
            assert posted(http_for, "revoke/", token=token).status_code in (200, 400), forgery

    assert http_for(None).get(ME, headers=bearer(shop.pair.access)).status_code == 200
