"""Refresh tokens rotate; one that comes a second time ends its family, every time, but for a client that asks again at once."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from foretell.accounts.models import User
from foretell.accounts.services import create_user
from foretell.accounts.tokens import refresh_tokens, services
from foretell.accounts.tokens.issuing import TokenPair
from foretell.accounts.tokens.models import TokenFamily
from foretell.audit.models import Entry
from foretell.core.tenancy import use_public
from foretell.credentials import AuthenticationFailed
from tests.accounts.tokens.workshop import bearer, flipped, posted, signed_in, tokens_of
from tests.cast import Cast, House
from tests.http import HttpFor
from tests.secret_keys import use_secret_key

ME = "/api/v1/me/"


def later(house: House, **delta: float) -> None:
    """Let all that was done to families have been done so much earlier."""
    with house.inside():
        for family in TokenFamily.objects.all():
            family.started_at -= timedelta(**delta)
            family.expires_at -= timedelta(**delta)
            family.rotated_at = family.rotated_at and family.rotated_at - timedelta(**delta)
            family.save()


def refreshed_at(house: House, token: str, *, after_s: float = 0.0, scopes: Any = None) -> TokenPair:
    with house.inside():
        return services.refresh(token=token, scopes=scopes, now=timezone.now() + timedelta(seconds=after_s))


def family(house: House) -> TokenFamily:
    with house.inside():
        return TokenFamily.objects.get()


def test_a_refresh_token_is_used_once_and_names_the_next(http_for: HttpFor) -> None:
    first = signed_in(http_for)

    second = posted(http_for, "refresh/", refresh=first["refresh"])

    assert second.status_code == 200
    assert second.headers["Cache-Control"] == "no-store"
    assert second.json().keys() == first.keys()
    assert {second.json()["refresh"], second.json()["access"]}.isdisjoint({first["refresh"], first["access"]})
    assert http_for(None).get(ME, headers=bearer(second.json()["access"])).json()["username"] == "bob"


def test_a_line_of_a_hundred_goes_on(acme: House) -> None:
    token = tokens_of(acme, "bob").refresh
    for step in range(100):
        token = refreshed_at(acme, token, after_s=60 * step).refresh

    assert family(acme).number == 100


@pytest.mark.parametrize("n_since", [1, 2, 3, 50])
def test_one_that_was_used_before_ends_the_family_every_time(acme: House, http_for: HttpFor, n_since: int) -> None:
    first = tokens_of(acme, "bob")
    last = first
    for _ in range(n_since):
        last = refreshed_at(acme, last.refresh)
    later(acme, seconds=11)

    refused = posted(http_for, "refresh/", refresh=first.refresh)

    assert (refused.status_code, refused.json()["code"]) == (401, "authentication_failed")
    assert posted(http_for, "refresh/", refresh=last.refresh).status_code == 401, "the thief's, or the honest one's"
    for pair in (first, last):
        assert http_for(None).get(ME, headers=bearer(pair.access)).status_code == 401
        assert http_for(None).get("/v2", headers=bearer(pair.access)).status_code == 401


def test_a_used_one_ends_the_family_within_the_grace_too_once_its_successor_was_used(acme: House) -> None:
    first = tokens_of(acme, "bob")
    second = refreshed_at(acme, first.refresh)
    third = refreshed_at(acme, second.refresh)

    for token in (first, third):
        with pytest.raises(AuthenticationFailed):
            refreshed_at(acme, token.refresh)
    assert family(acme).revoked_at is not None


def test_reuse_is_known_for_ever_from_one_row(acme: House) -> None:
    first = tokens_of(acme, "bob")
    last = first
    for step in range(30):
        last = refreshed_at(acme, last.refresh, after_s=86_400 * step)
    with acme.inside():
        services.clean_up(now=timezone.now() + timedelta(days=30))
        assert TokenFamily.objects.count() == 1

    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, first.refresh, after_s=86_400 * 30)
    assert family(acme).revoked_at is not None


def test_a_client_whose_answer_was_lost_asks_again_and_gets_the_same_successor(acme: House, http_for: HttpFor) -> None:
    first = signed_in(http_for)
    lost = posted(http_for, "refresh/", refresh=first["refresh"]).json()

    again = [posted(http_for, "refresh/", refresh=first["refresh"]).json() for _ in range(3)]

    assert {answer["refresh"] for answer in again} == {lost["refresh"]}
    assert http_for(None).get(ME, headers=bearer(again[-1]["access"])).status_code == 200
    assert posted(http_for, "refresh/", refresh=lost["refresh"]).status_code == 200, "the family goes on"
    assert family(acme).number == 2


def test_without_the_grace_the_honest_client_would_be_signed_out(
    acme: House, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the grace that lets the retry through."""
    monkeypatch.setattr(services, "GRACE", timedelta(seconds=-1))
    first = signed_in(http_for)
    posted(http_for, "refresh/", refresh=first["refresh"])

    assert posted(http_for, "refresh/", refresh=first["refresh"]).status_code == 401
    assert family(acme).revoked_at is not None


@pytest.mark.parametrize(("after_s", "is_answered"), [(0, True), (9, True), (11, False), (3_600, False)])
def test_the_grace_is_seconds_long(acme: House, after_s: int, is_answered: bool) -> None:
    first = tokens_of(acme, "bob")
    refreshed_at(acme, first.refresh)

    if is_answered:
        refreshed_at(acme, first.refresh, after_s=after_s)
    else:
        with pytest.raises(AuthenticationFailed):
            refreshed_at(acme, first.refresh, after_s=after_s)
    assert (family(acme).revoked_at is None) is is_answered


def test_a_retry_does_not_lengthen_the_grace(acme: House) -> None:
    first = tokens_of(acme, "bob")
    refreshed_at(acme, first.refresh)
    refreshed_at(acme, first.refresh, after_s=8)

    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, first.refresh, after_s=16)


def test_a_thief_in_the_grace_has_no_line_of_his_own(acme: House) -> None:
    """Both hold the same successor; the second to use it is seen, unless he is again within seconds of the first."""
    stolen = tokens_of(acme, "bob").refresh
    honest = refreshed_at(acme, stolen)
    thief = refreshed_at(acme, stolen, after_s=5)
    assert thief.refresh == honest.refresh

    refreshed_at(acme, honest.refresh, after_s=300)
    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, thief.refresh, after_s=330)
    assert family(acme).revoked_at is not None


def test_nothing_tells_a_thief_whether_a_token_was_used_without_using_it(acme: House, http_for: HttpFor) -> None:
    pair = signed_in(http_for, scope="predict")

    def asked() -> list[int]:
        return [
            posted(http_for, "verify/", token=pair["refresh"]).status_code,
            posted(http_for, "refresh/", refresh=pair["refresh"], scope="admin").status_code,
        ]

    before = asked()
    posted(http_for, "refresh/", refresh=pair["refresh"])

    assert asked() == before == [401, 400]


def test_a_refresh_takes_from_the_persons_limit_and_one_beyond_it_uses_nothing(acme: House, http_for: HttpFor) -> None:
    pair = tokens_of(acme, "bob")
    with use_public():
        acme.tenant.own_limits = {"user": "1/h"}
        acme.tenant.save()

    first = posted(http_for, "refresh/", refresh=pair.refresh)
    second = posted(http_for, "refresh/", refresh=first.json()["refresh"])

    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 429, "throttled")
    assert first.headers["RateLimit-Policy"].startswith('"user";q=1')
    assert int(second.headers["Retry-After"]) >= 1
    assert family(acme).number == 1


# --- at once ---


def test_twenty_at_once_with_one_token_have_one_successor(acme: House) -> None:
    token = tokens_of(acme, "bob").refresh

    def ask(_: int) -> str:
        try:
            return refreshed_at(acme, token).refresh
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        successors = set(pool.map(ask, range(20)))

    assert len(successors) == 1
    assert (family(acme).number, family(acme).revoked_at) == (1, None)


def test_twenty_requests_at_once_are_all_answered_and_go_on_from_one_token(acme: House, http_for: HttpFor) -> None:
    token = tokens_of(acme, "bob").refresh

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: posted(http_for, "refresh/", refresh=token), range(20)))

    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert posted(http_for, "refresh/", refresh=successor).status_code == 200
    assert family(acme).number == 2


def test_twenty_at_once_with_a_used_token_end_the_family_once(acme: House) -> None:
    token = tokens_of(acme, "bob").refresh
    refreshed_at(acme, token)
    later(acme, seconds=60)

    def ask(_: int) -> bool:
        try:
            refreshed_at(acme, token)
        except AuthenticationFailed:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(20) as pool:
        assert not any(pool.map(ask, range(20)))
    with acme.inside():
        assert Entry.objects.filter(action="token.reused", target_id=str(TokenFamily.objects.get().pk)).count() == 1


# --- forged, swapped, over ---


@pytest.mark.parametrize("position", range(4, 76))
def test_no_character_of_a_refresh_token_can_be_changed(acme: House, position: int) -> None:
    pair = tokens_of(acme, "bob")

    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, flipped(pair.refresh, position))
    assert family(acme).revoked_at is None, "what we did not make ends nothing"


CHANGES: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "x", "its prefix gone": lambda token: token[4:], "another prefix": lambda token: "ftx_" + token[4:],
    "capitals": lambda token: token.upper(), "its end gone": lambda token: token[:-1], "more at its end": lambda token: token + "A",
    "padding": lambda token: token + "=", "a space within": lambda token: token[:40] + " " + token[41:],
    "plain base64": lambda token: token[:40] + "+/" + token[42:], "twice": lambda token: token + token,
    "unicode": lambda token: token[:-1] + "é", "far too long": lambda token: token + "A" * 4_000, "SQL": lambda _: "' OR 1=1 --",
    "a key": lambda _: "ft_aaaaaaaaaa_" + "0" * 38, "zeros": lambda _: "ftr_" + "A" * 72, "ones": lambda _: "ftr_" + "_" * 72,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_text_that_is_no_refresh_token_is_refused_as_any_other(acme: House, http_for: HttpFor, change: str) -> None:
    pair = tokens_of(acme, "bob")

    answer = posted(http_for, "refresh/", refresh=CHANGES[change](pair.refresh))

    assert answer.status_code == 401
    assert answer.json()["detail"] == "These credentials are not known here, or not any more."
    assert family(acme).revoked_at is None


@pytest.mark.parametrize("body", [{}, {"refresh": None}, {"refresh": 1}, {"refresh": ""}, {"refresh": ["a"]}, {"refresh": "a\0b"}, {"refresh": "A" * 5_000}, {"refresh": "x", "more": 1}])  # fmt: skip
def test_a_body_that_is_none_is_400_with_the_field(http_for: HttpFor, body: dict[str, Any]) -> None:
    answer = posted(http_for, "refresh/", **body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == ("more" if "more" in body else "refresh")


def test_the_number_of_a_later_token_cannot_be_guessed(acme: House) -> None:
    shown = refresh_tokens.parse_token(tokens_of(acme, "bob").refresh)
    assert shown is not None
    body = shown.family_id.bytes + (1).to_bytes(6, "big")

    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, "ftr_" + base64.urlsafe_b64encode(body + shown.mac).decode())


def test_another_tenants_refresh_token_is_none_here_even_with_the_same_row(cast: Cast) -> None:
    pair = tokens_of(cast.acme, "bob")
    row = family(cast.acme)
    with cast.globex.inside():
        carol = cast.globex.user("carol")
        TokenFamily.objects.create(
            id=row.id, user=carol, secret=row.secret, number=row.number, generation=carol.token_generation, started_at=row.started_at,
            scopes=row.scopes, expires_at=row.expires_at,
        )  # fmt: skip

    with pytest.raises(AuthenticationFailed):
        refreshed_at(cast.globex, pair.refresh)
    assert refreshed_at(cast.acme, pair.refresh).scope == "admin"


def test_the_database_alone_makes_no_refresh_token(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another SECRET_KEY the same row gives other tokens."""
    with acme.inside():
        row = TokenFamily.objects.create(
            user=acme.user("bob"), generation=acme.user("bob").token_generation, started_at=timezone.now(), scopes=["admin"],
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        guessed = refresh_tokens.new_token(family_id=row.id, number=0, secret=bytes(row.secret))

    use_secret_key(monkeypatch, "the real one, which the database does not have")
    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, guessed)


def test_an_idle_one_is_over_after_days_and_a_line_after_months(acme: House) -> None:
    idle = tokens_of(acme, "bob")
    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, idle.refresh, after_s=14 * 86_400 + 1)

    last = tokens_of(acme, "erin")
    for day in range(10, 90, 10):
        last = refreshed_at(acme, last.refresh, after_s=86_400 * day)
    assert last.refresh_expires_in <= 10 * 86_400, "not beyond the family's own end"
    with pytest.raises(AuthenticationFailed):
        refreshed_at(acme, last.refresh, after_s=90 * 86_400)


def test_an_access_token_is_not_valid_beyond_its_family(acme: House) -> None:
    last = tokens_of(acme, "bob")
    for step in range(1, 10):
        last = refreshed_at(acme, last.refresh, after_s=86_400 * 10 * step - 60 * (step == 9))

    assert last.expires_in <= 60


# --- scopes ---


def test_a_refresh_may_narrow_the_access_token_and_never_widen_it(acme: House, http_for: HttpFor) -> None:
    pair = signed_in(http_for, scope="predict models:read")

    narrow = posted(http_for, "refresh/", refresh=pair["refresh"], scope="predict").json()
    wide = posted(http_for, "refresh/", refresh=narrow["refresh"]).json()
    wider = posted(http_for, "refresh/", refresh=wide["refresh"], scope="predict admin")

    assert (narrow["scope"], wide["scope"]) == ("predict", "models:read predict")
    assert (wider.status_code, wider.json()["errors"][0]["attr"]) == (400, "scope")
    assert posted(http_for, "refresh/", refresh=wide["refresh"]).status_code == 200, "what was refused has used nothing"


# --- cleaning up ---


def test_ended_families_are_cleaned_up_when_no_token_of_theirs_is_valid(acme: House) -> None:
    tokens_of(acme, "bob")
    revoked = tokens_of(acme, "erin")
    with acme.inside():
        services.revoke(token=revoked.refresh, now=timezone.now())
        now = timezone.now()

        counts = []
        for after in (timedelta(), timedelta(hours=1), timedelta(hours=3), timedelta(days=13), timedelta(days=15)):
            services.clean_up(now=now + after)
            counts.append(TokenFamily.objects.count())

    assert counts == [2, 2, 1, 1, 0]


def test_the_task_cleans_up_every_tenant(cast: Cast) -> None:
    from foretell.accounts.tokens.tasks import clean_up_tokens

    for house, person in ((cast.acme, "bob"), (cast.globex, "carol")):
        tokens_of(house, person)
        later(house, days=100)

    clean_up_tokens(timestamp=0)

    for house in (cast.acme, cast.globex):
        with house.inside():
            assert not TokenFamily.objects.exists()


def test_a_user_who_is_deleted_takes_their_tokens_along(acme: House, http_for: HttpFor) -> None:
    with acme.inside():
        gone = create_user(username="gone", email="gone@acme.example", password="a long enough passphrase")
    pair = tokens_of(acme, "gone")
    with acme.inside():
        User.objects.filter(pk=gone.pk).delete()

    assert posted(http_for, "refresh/", refresh=pair.refresh).status_code == 401
    assert http_for(None).get(ME, headers=bearer(pair.access)).status_code == 401
    assert http_for(None).get("/v2", headers=bearer(pair.access)).status_code == 401
