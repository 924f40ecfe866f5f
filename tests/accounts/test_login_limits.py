"""Wrong passwords are limited before one is hashed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from foretell.accounts import login_limits, passwords
from foretell.accounts.limiting import limiter
from foretell.limits import Claim, Policy, Rate, Throttled
from tests.accounts.test_passwords import basic
from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.pages import send, text_of

ME = "/api/v1/me/"
WRONG = "a wrong passphrase"


@pytest.fixture(autouse=True)
def full_buckets() -> Iterator[None]:
    limiter().clear()
    yield
    limiter().clear()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the passwords that are hashed, and hash none."""
    counted: list[str] = []

    def counting(self: object, password: str, *_: object) -> bool:
        counted.append(password)
        return password == PASSWORD

    def encoding(self: object, password: str, salt: str) -> str:
        counted.append(password)
        return "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"

    monkeypatch.setattr(passwords.Argon2Hasher, "verify", counting)
    monkeypatch.setattr(passwords.Argon2Hasher, "encode", encoding)
    monkeypatch.setattr(passwords.Argon2Hasher, "must_update", lambda *_: False)
    return counted


def tried(http_for: HttpFor, name: str, password: str, times: int) -> list[int]:
    client = http_for(None)
    return [client.get(ME, headers=basic(name, password)).status_code for _ in range(times)]


def test_a_burst_of_wrong_passwords_costs_as_many_hashes_as_the_limit_allows(
    http_for: HttpFor, acme: House, hashes: list[str]
) -> None:
    answers = tried(http_for, "bob", WRONG, 60)

    assert (answers.count(401), answers.count(429)) == (10, 50)
    assert len(hashes) == 10


@pytest.mark.parametrize("times", [1_000])
def test_a_thousand_at_once_cost_no_more(acme: House, times: int) -> None:
    """Control: a check that charges only what has failed lets all of those through that come before the first has."""
    hashed: list[int] = []

    def sign_in(_: int) -> None:
        try:
            with login_limits.attempt(tenant_id=str(acme.tenant.id), account="bob", client="192.0.2.1") as attempt:
                hashed.append(1)
                attempt.failed()
        except Throttled:
            pass

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sign_in, range(times)))

    assert len(hashed) == 10


def test_without_the_limit_each_costs_a_hash(
    http_for: HttpFor, acme: House, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limits, "claims_on", lambda **_: ())

    assert tried(http_for, "bob", WRONG, 20) == [401] * 20
    assert len(hashes) == 20


@pytest.mark.parametrize("name", ["bob", "nobody", "BOB@acme.example", "nobody@acme.example"])
def test_known_and_unknown_names_are_refused_alike(
    http_for: HttpFor, acme: House, hashes: list[str], name: str
) -> None:
    assert tried(http_for, name, WRONG, 12) == [401] * 10 + [429] * 2
    assert len(hashes) == 10

    answer = http_for(None).get(ME, headers={**basic(name, WRONG), "X-Request-ID": "same"})

    assert answer.json()["code"] == "throttled"
    assert answer.json()["detail"].startswith("Too many sign-ins have failed. Try again in ")
    assert 1 <= int(answer.headers["Retry-After"]) <= 12


def test_the_right_password_is_refused_too_while_the_account_is_limited(
    http_for: HttpFor, acme: House, hashes: list[str]
) -> None:
    tried(http_for, "bob", WRONG, 10)

    assert tried(http_for, "bob", PASSWORD, 1) == [429]
    assert tried(http_for, "erin", PASSWORD, 1) == [200]
    assert http_for("bob").get(ME).status_code == 200  # his key is not concerned


def test_right_passwords_are_not_charged(http_for: HttpFor, acme: House, hashes: list[str]) -> None:
    assert tried(http_for, "bob", PASSWORD, 60) == [200] * 60


def test_one_name_in_different_capitals_is_one_account(http_for: HttpFor, acme: House, hashes: list[str]) -> None:
    tried(http_for, "bob", WRONG, 5)
    tried(http_for, "BOB", WRONG, 5)

    assert tried(http_for, "Bob", WRONG, 1) == [429]


def test_an_account_of_another_tenant_is_another_account(
    http_for: HttpFor, acme: House, globex: House, hashes: list[str]
) -> None:
    tried(http_for, "carol", WRONG, 10)

    assert http_for("carol").get(ME, headers=basic("carol", PASSWORD)).status_code == 200
    assert http_for(None, tenant="globex").get(ME, headers=basic("carol", PASSWORD)).status_code == 200


def test_an_address_is_limited_over_all_accounts_and_tenants(http_for: HttpFor, acme: House, hashes: list[str]) -> None:
    answers = [http_for(None).get(ME, headers=basic(f"name{number}", WRONG)).status_code for number in range(45)]

    assert (answers.count(401), len(hashes)) == (40, 40)
    assert http_for(None, tenant="globex").get(ME, headers=basic("carol", PASSWORD)).status_code == 429


def test_the_login_page_takes_from_the_same_bucket_and_answers_with_a_page(
    http_for: HttpFor, acme: House, hashes: list[str]
) -> None:
    tried(http_for, "bob", WRONG, 9)
    browser = http_for(None)
    browser.headers["Accept"] = "text/html"

    first = send(browser, "/accounts/login/", {"username": "bob", "password": WRONG})
    second = send(browser, "/accounts/login/", {"username": "bob", "password": WRONG})

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["Content-Type"].startswith("text/html")
    assert int(second.headers["Retry-After"]) >= 1
    assert "Too many sign-ins have failed" in text_of(second)
    assert len(hashes) == 10


def test_an_attempt_that_was_not_decided_is_given_back(acme: House) -> None:
    for _ in range(50):
        with pytest.raises(RuntimeError), undecided(acme):
            raise RuntimeError

    with undecided(acme) as attempt:
        attempt.failed()


@contextmanager
def undecided(house: House) -> Iterator[login_limits.Attempt]:
    with login_limits.attempt(tenant_id=str(house.tenant.id), account="bob", client="192.0.2.1") as attempt:
        yield attempt


def test_a_tenant_and_the_installation_have_limits_of_their_own(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_limits, "TENANT", Policy("sign-ins of a tenant", Rate.parse("3/h")))
    monkeypatch.setattr(login_limits, "OVERALL", Policy("sign-ins", Rate.parse("5/h")))

    def failed(tenant: str, number: int) -> bool:
        try:
            login_limits.check(tenant_id=tenant, account=f"name{number}", client=f"192.0.2.{number}")
        except Throttled:
            return False
        return True

    assert [failed("acme", number) for number in range(4)] == [True, True, True, False]
    assert [failed("globex", number) for number in range(10, 13)] == [True, True, False]


# --- addresses ---


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
    ],
)
def test_an_address_counts_as_itself_and_of_ipv6_as_its_network(client: str, counted_as: str) -> None:
    assert login_limits.network_of(client) == counted_as


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.9", "127.0.0.1"),  # what a client claims is not read
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first is the client's own invention
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),  # it did not come through our proxies
        (1, "", "127.0.0.1"),
    ],
)
def test_who_asks_is_who_our_outermost_proxy_saw(
    monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: str, found: str
) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "TRUSTED_PROXIES", proxies)
    request = SimpleNamespace(META={"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded})

    assert login_limits.client_of(request) == found


def test_a_made_up_forwarding_is_no_new_address(http_for: HttpFor, acme: House, hashes: list[str]) -> None:
    client = http_for(None)
    answers = [
        client.get(ME, headers={**basic(f"name{number}", WRONG), "X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(45)
    ]

    assert answers.count(429) == 5


def test_clients_without_an_address_are_not_one_client(acme: House) -> None:
    for number in range(60):
        login_limits.check(tenant_id=str(acme.tenant.id), account=f"name{number}", client="")


def test_buckets_are_named_by_digests_and_hold_no_names(acme: House) -> None:
    claims: tuple[Claim, ...] = login_limits.claims_on(tenant_id="acme", account="bob" * 10_000, client="192.0.2.1")

    assert {len(claim.bucket) for claim in claims} == {16}
