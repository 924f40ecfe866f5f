"""Names and addresses are unique whatever their case, and no name passes for another's."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from foretell.accounts.folding import folded, validate_username
from foretell.accounts.models import User
from foretell.accounts.services import AccountExists, InvalidAccount, create_user
from tests.cast import PASSWORD, House


def make(username: str, email: str | None = None, role: str = "viewer") -> User:
    return create_user(
        username=username, email=email or f"{folded(username)}@acme.example", password=PASSWORD, role=role
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("straße", "STRASSE"),
        ("ﬁona", "fiona"),
        ("\uff21lice", "alice"),
        ("Σίσυφος", "σίσυφοσ"),
        ("e\u0301mile", "émile"),
    ],
)
def test_what_looks_the_same_folds_to_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_the_turkish_capital_i_with_a_dot_is_not_taken_for_a_plain_one() -> None:
    assert folded("İstanbul") != folded("istanbul")


@pytest.mark.parametrize(
    "name",
    [
        "bob",
        "Bob.Smith-2",
        "b_o+b",
        "émile",
        "José",
        "Δημήτρης",
        "Владимир",
        "王小明",
        "田中さくら",
        "サトウ",
        "김철수",
        "हिन्दी",
        "नमस्ते",
        "محمد",
        "7of9",
    ],
)
def test_names_of_any_language_are_taken(name: str) -> None:
    validate_username(name)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a b", "a\tb", "a\0b", "a\u200bb", "a\u200db", "a\u2060b", "\ufeffbob", "bob\u00ad", "a\u034fb", "\u3164", "김\u3164", "\u115fa", "a\ufe0f",
        "a\U000e0100", "a\u202eb", "<bob>", "bob;", "bob'", "😀", ".bob", "@bob", "\u0301a", "-rf",
    ],
)  # fmt: skip
def test_names_with_what_one_does_not_see_or_expect_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_username(name)


@pytest.mark.parametrize("name", ["аlice", "alicе", "bоb", "αlice", "paypаl"])  # noqa: RUF001  that is the point
def test_names_that_mix_scripts_to_look_like_another_are_refused(name: str) -> None:
    assert not name.isascii()
    with pytest.raises(ValidationError, match="one script"):
        validate_username(name)


@pytest.mark.parametrize("name", ["ALICE", "Alice", "aLiCe", "ａｌｉｃｅ"])  # noqa: RUF001
def test_a_name_is_taken_in_any_case_and_width(acme: House, name: str) -> None:
    with acme.inside(), pytest.raises(AccountExists, match="user name"):
        make(name, "other@acme.example")


@pytest.mark.parametrize("email", ["alice@acme.example", "ALICE@ACME.EXAMPLE", "Alice@acme.Example"])
def test_an_address_is_taken_in_any_case(acme: House, email: str) -> None:
    with acme.inside(), pytest.raises(AccountExists, match="e-mail"):
        make("alicia", email)


def test_the_same_name_in_another_tenant_is_another_person(globex: House) -> None:
    with globex.inside():
        assert make("alice").username == "alice"


def test_nobody_is_called_by_anothers_address(acme: House) -> None:
    with acme.inside():
        with pytest.raises(InvalidAccount, match="one's own"):
            make("bob@acme.example", "mallory@acme.example")
        assert make("eve@acme.example", "Eve@acme.example").username == "eve@acme.example"


def test_of_fifty_who_sign_up_at_once_in_other_capitals_one_is_made_and_the_rest_are_told(acme: House) -> None:
    from django.db import connection

    spellings = [
        "".join(letter.upper() if (number >> place) & 1 else letter for place, letter in enumerate("malory"))
        for number in range(50)
    ]

    def sign_up(spelling: str) -> str:
        try:
            with acme.inside():
                create_user(username=spelling, email=f"{spelling}@acme.example", password=PASSWORD)
        except AccountExists:
            return "taken"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(50) as pool:
        outcomes = sorted(pool.map(sign_up, spellings))

    assert outcomes == ["made", *["taken"] * 49]
    with acme.inside():
        assert User.objects.filter(username_key="malory").count() == 1


def test_the_folded_copy_follows_a_new_name(acme: House) -> None:
    with acme.inside():
        user = make("carla")
        user.username = "CARLOTTA"
        user.save(update_fields=["username", "username_key"])

        assert User.objects.get_by_natural_key("carlotta") == user


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "no address"},
        {"email": ""},
        {"username": ""},
        {"username": "a" * 151},
        {"password": "short"},
        {"password": "password1234"},
        {"role": "king"},
    ],
)
def test_what_is_wrong_with_a_new_person_is_named_by_field(acme: House, fields: dict[str, str]) -> None:
    asked: dict[str, Any] = {
        "username": "dora",
        "email": "dora@acme.example",
        "password": PASSWORD,
        "role": "viewer",
        **fields,
    }

    with acme.inside(), pytest.raises(InvalidAccount) as refused:
        create_user(**asked)
    assert next(fault["attr"] for fault in refused.value.faults) == next(iter(fields))
