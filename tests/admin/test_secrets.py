"""No page of the admin shows what is stored of a secret, and no parameter of a list tells it letter by letter."""

from typing import Any
from urllib.parse import urlencode

import pytest

from foretell.admin.service_admin import ServiceAdmin
from tests.admin import addresses
from tests.admin.conftest import Where
from tests.cast import PASSWORD, House
from tests.web.conftest import SignedIn

CANARY = "CANARY5ecret"


@pytest.fixture
def canaries(where: Where, acme: House) -> set[str]:
    """Give everything secret of acme's a value that is found again; return these, and the secrets that people hold."""
    from allauth.mfa.models import Authenticator

    from foretell.accounts.models import APIKey, User
    from foretell.accounts.tokens.models import SigningKey

    with acme.inside():
        robot = User.objects.get(pk=addresses.USER)
        User.objects.filter(pk=robot.pk).update(password=f"argon2${CANARY}-hash")
        APIKey.objects.filter(pk=addresses.KEY).update(secret_digest=f"{CANARY}-digest")
        Authenticator.objects.create(user=robot, type="totp", data={"secret": f"{CANARY}-totp"})
        stored = {
            *User.objects.values_list("password", flat=True), *APIKey.objects.values_list("secret_digest", flat=True),
            *SigningKey.objects.values_list("sealed", flat=True),
        }  # fmt: skip
    held = {PASSWORD, CANARY, *(person.key for person in acme.people.values())}
    return {str(secret) for secret in stored | held if len(str(secret)) > 8}


def shown(client: Any, where: Where) -> str:
    lists = [where(name) for name in addresses.PAGES if name.endswith("_changelist")]
    return "".join(
        client.get(path).text for path in (*map(where, addresses.PAGES), *(f"{path}?all=1" for path in lists))
    )


def test_no_page_shows_a_secret(signed_in: SignedIn, where: Where, canaries: set[str]) -> None:
    pages = shown(signed_in("alice"), where)

    assert [secret for secret in canaries if secret in pages] == []
    assert "robot" in pages


def test_control_a_column_too_many_is_found(
    signed_in: SignedIn, where: Where, canaries: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.admin.tenant.people import PersonAdmin

    monkeypatch.setattr(PersonAdmin, "shown", ("username", "password"))

    assert CANARY in shown(signed_in("alice"), where)


GUESSES = [
    ("accounts_user", {"password__startswith": "argon2"}),
    ("accounts_user", {"api_keys__secret_digest__startswith": "0"}),
    ("accounts_user", {"authenticator__data__secret": "x"}),
    ("accounts_user", {"token_generation__gte": "0"}),
    ("accounts_apikey", {"secret_digest__startswith": "0"}),
    ("accounts_apikey", {"user__password__startswith": "argon2"}),
    ("accounts_invitation", {"invited_by__password__contains": "a"}),
    ("registry_modelversion", {"seal__startswith": "0"}),
    ("registry_registeredmodel", {"created_by__password__regex": "."}),
    ("monitoring_prediction", {"inputs__contains": "a"}),
    ("audit_entry", {"seal__startswith": "0"}),
    ("audit_entry", {"at__gte": "2001-01-01"}),
]


def test_a_list_is_narrowed_by_its_filters_only(signed_in: SignedIn, where: Where) -> None:
    alice = signed_in("alice")

    for name, guess in GUESSES:
        answer = alice.get(f"{where(f'admin:{name}_changelist')}?{urlencode(guess)}")
        assert answer.status_code == 400, guess


def test_a_form_is_found_by_its_key_only(signed_in: SignedIn, where: Where) -> None:
    path = where("admin:accounts_apikey_change")

    assert signed_in("alice").get(f"{path}?_to_field=secret_digest").status_code == 400


def test_control_with_djangos_own_rule_a_digest_can_be_guessed(
    signed_in: SignedIn, where: Where, canaries: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(ServiceAdmin, "lookup_allowed")
    alice, path = signed_in("alice"), where("admin:accounts_apikey_changelist")

    right = alice.get(f"{path}?secret_digest__startswith={CANARY}-d")
    wrong = alice.get(f"{path}?secret_digest__startswith={CANARY}-e")

    assert ("robotrobot" in right.text, "robotrobot" in wrong.text) == (True, False)


FILTERS = [
    ("accounts_user", "role__exact=viewer&is_active__exact=1"),
    ("accounts_apikey", "revoked_at__isempty=0&since=week"),
    ("accounts_invitation", "role__exact=viewer&accepted_at__isempty=1"),
    ("registry_registeredmodel", "log_payload__exact=full&archived_at__isempty=1"),
    ("registry_modelversion", "state__exact=ready&since=month"),
    ("registry_alias", "since=day"),
    ("monitoring_prediction", "since=day"),
    ("audit_entry", "since=hour"),
]
QUESTIONS = ["q=%00", "q=a%00b", "p=0", "p=99999", "o=99.-1.x", "q=%25_'%22", "all=1", "since=never", "state__exact=x"]


def test_the_filters_themselves_work(signed_in: SignedIn, where: Where) -> None:
    alice = signed_in("alice")

    for name, query in FILTERS:
        assert alice.get(f"{where(f'admin:{name}_changelist')}?{query}").status_code == 200, query


def test_no_question_breaks_a_list(signed_in: SignedIn, where: Where) -> None:
    alice = signed_in("alice")

    for name in (name for name in addresses.PAGES if name.endswith("_changelist")):
        for query in QUESTIONS:
            assert alice.get(f"{where(name)}?{query}").status_code in (200, 302, 400), (name, query)
