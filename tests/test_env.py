"""The environment is read as typed values, and a malformed one is named in one clear line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from foretell import env
from foretell.env import MalformedVariable

NAME = "FORETELL_SOMETHING"
SCHEMES = ("postgres", "postgresql")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.delenv(NAME, raising=False)
    return lambda value: monkeypatch.setenv(NAME, value)


@pytest.mark.usefixtures("given")
def test_what_is_not_set_has_its_default() -> None:
    assert env.text(NAME, "a") == "a"
    assert env.integer(NAME, 7) == 7
    assert env.boolean(NAME, True) is True
    assert env.choice(NAME, "INFO", ("DEBUG", "INFO")) == "INFO"
    assert env.listing(NAME, ("a", "b")) == ["a", "b"]
    assert env.url(NAME, schemes=SCHEMES) == ""


def test_an_empty_value_is_as_good_as_none(given: Callable[[str], None]) -> None:
    given("")

    assert env.text(NAME, "a") == "a"
    assert env.integer(NAME, 7) == 7
    assert env.boolean(NAME, True) is True
    assert env.listing(NAME, ("a",)) == ["a"]


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("on", True), ("FALSE", False), ("0", False)])
def test_booleans_are_written_in_many_ways(given: Callable[[str], None], text: str, value: bool) -> None:
    given(text)

    assert env.boolean(NAME, not value) is value


def test_lists_are_parted_by_commas(given: Callable[[str], None]) -> None:
    given(" a.example, ,b.example,")

    assert env.listing(NAME) == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("found", "read", "expected"),
    [
        ("many", lambda: env.integer(NAME, 1), "a whole number"),
        ("1.5", lambda: env.integer(NAME, 1), "a whole number"),
        ("0", lambda: env.integer(NAME, 1, minimum=1), "a whole number of at least 1"),
        ("65536", lambda: env.integer(NAME, 1, maximum=65535), "a whole number of at most 65535"),
        ("maybe", lambda: env.boolean(NAME, False), "true or false"),
        ("loud", lambda: env.choice(NAME, "INFO", ("DEBUG", "INFO")), "one of DEBUG, INFO"),
        ("mysql://host/name", lambda: env.url(NAME, schemes=SCHEMES), "postgres:// or postgresql://"),
        ("postgres://host:port/name", lambda: env.url(NAME, schemes=SCHEMES), "a URL"),
    ],
)
def test_a_malformed_value_is_one_line_that_says_what_was_found_and_what_is_expected(
    given: Callable[[str], None], found: str, read: Callable[[], object], expected: str
) -> None:
    given(found)

    with pytest.raises(MalformedVariable) as caught:
        read()

    line = caught.value.message
    assert line.startswith(NAME)
    assert found in line
    assert expected in line
    assert "\n" not in line


@pytest.mark.parametrize("found", ["mysql://bob:pa55word@host/name", "postgres://bob:pa55word@host:port/name"])
def test_the_password_of_a_malformed_url_is_not_shown(given: Callable[[str], None], found: str) -> None:
    given(found)

    with pytest.raises(MalformedVariable) as caught:
        env.url(NAME, schemes=SCHEMES)

    assert "pa55word" not in str(caught.value)
    assert "host" in str(caught.value)


def test_the_home_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_HOME", "~/state")

    assert env.home() == Path("~/state").expanduser()


def test_dotenv_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FT_A", "FT_B", "FT_C", "FT_D", "FT_E"):
        monkeypatch.setenv(name, "was here")  # so that it is put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("FT_E", "set before")
    (tmp_path / ".env").write_text(
        "# a comment\n\nFT_A=plain # and why\nexport FT_B = spaced\nFT_C='kept # whole'\nFT_D=\"a=b\"\nFT_E=from the file\n"
    )

    env.load_dotenv(tmp_path / ".env")

    found = [env.text(name, "") for name in ("FT_A", "FT_B", "FT_C", "FT_D", "FT_E")]
    assert found == ["plain", "spaced", "kept # whole", "a=b", "set before"]


def test_a_broken_line_of_dotenv_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FT_A=1\nnonsense\n")

    with pytest.raises(MalformedVariable, match=r"\.env:2 is 'nonsense'; expected NAME=value"):
        env.load_dotenv(tmp_path / ".env")


def test_a_dotenv_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    env.load_dotenv(tmp_path / ".env")
