"""The format of API keys. No framework, no storage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell import keys

KEY = keys.Key(id="abcdefgh27", secret="0123456789ABCDEFGHIJabcdefghijkl")


def test_a_key_is_prefix_id_secret_and_checksum() -> None:
    text = str(keys.new_key())

    prefix, identifier, rest = text.split("_")
    assert (prefix, len(identifier), len(rest)) == ("ft", 10, 38)
    assert keys.PATTERN.fullmatch(text)


def test_a_key_reads_back_as_it_was_written() -> None:
    for _ in range(100):
        key = keys.new_key()
        assert keys.parse_key(str(key)) == key


any_key = st.builds(
    keys.Key,
    id=st.text(keys.ID_ALPHABET, min_size=keys.ID_CHARS, max_size=keys.ID_CHARS),
    secret=st.text(keys.SECRET_ALPHABET, min_size=keys.SECRET_CHARS, max_size=keys.SECRET_CHARS),
)


@given(any_key)
def test_any_key_reads_back_in_each_of_its_forms(key: keys.Key) -> None:
    text = str(key)

    assert keys.parse_key(text) == key
    assert keys.parse_pair(key.id, text) == key
    assert keys.parse_pair(key.id, text.rsplit("_", 1)[1]) == key
    assert keys.parse_pair(key.id, key.secret) == key


@given(any_key, st.data())
def test_two_characters_that_changed_places_are_found(key: keys.Key, data: st.DataObject) -> None:
    text = str(key)
    first = data.draw(st.integers(len(keys.PREFIX), len(text) - 2))
    swapped = text[:first] + text[first + 1] + text[first] + text[first + 2 :]

    assert keys.parse_key(swapped) == (key if swapped == text else None)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    assert keys.parse_key(text) is None
    assert keys.parse_pair(text, text) is None


def test_one_changed_character_anywhere_is_found_without_asking_anybody() -> None:
    text = str(KEY)

    for position in range(3, len(text)):
        changed = text[:position] + ("b" if text[position] != "b" else "c") + text[position + 1 :]
        assert keys.parse_key(changed) is None, position


@pytest.mark.parametrize(
    "text", ["", "ft_", "ft__", str(KEY) + "\n", str(KEY) + "x", " " + str(KEY), "é" * 52, "\0" * 52, str(KEY).upper()]
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert keys.parse_key(text) is None


def test_basic_takes_the_id_with_the_secret_with_or_without_checksum_or_the_whole_key() -> None:
    rest = str(KEY).rsplit("_", 1)[1]

    assert keys.parse_pair(KEY.id, KEY.secret) == KEY
    assert keys.parse_pair(KEY.id, rest) == KEY
    assert keys.parse_pair(KEY.id, str(KEY)) == KEY
    assert keys.parse_pair("zzzzzzzz22", str(KEY)) is None
    assert keys.parse_pair("alice", "her password") is None


def test_what_is_stored_tells_neither_the_secret_nor_verifies_without_the_pepper() -> None:
    stored = keys.digest(KEY.secret, pepper=b"one")

    assert KEY.secret not in stored
    assert stored == keys.digest(KEY.secret, pepper=b"one")
    assert stored != keys.digest(KEY.secret, pepper=b"another")


def test_a_key_in_a_log_or_a_traceback_does_not_tell_its_secret() -> None:
    assert KEY.secret not in repr(KEY)
    assert KEY.id in repr(KEY)


def test_no_two_keys_are_alike() -> None:
    assert len({str(keys.new_key()) for _ in range(1_000)}) == 1_000
