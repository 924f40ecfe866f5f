"""Model cards: Markdown with YAML front matter, as on Hugging Face; what would harm a reader of it is refused where it is written."""

from typing import Any

import httpx
import pytest

from foretell.registry.front_matter import InvalidFrontMatter, split_card
from tests.cast import House
from tests.registry.catalogue import listed_model

CARD = "/api/v1/models/wine/card/"
TEXT = """---
license: apache-2.0
language:
- no
- de
datasets: [wine]
base_model: acme/wine
released: 2026-11-21
metrics:
- name: accuracy
  value: 0.9
verified: false
---

# Wine

Tells <b>red</b> from white.
"""


@pytest.fixture
def wine(acme: House) -> None:
    listed_model(acme, "wine", by="erin")


def test_a_card_is_written_and_read_in_its_parts(wine: None, erin: httpx.Client, bob: httpx.Client) -> None:
    assert bob.get(CARD).status_code == 404
    assert erin.put(CARD, json={"text": TEXT}).status_code == 201

    card = bob.get(CARD).json()

    assert (card["text"], card["model"], card["updated_by"]) == (TEXT, "wine", "erin")
    assert card["body"] == "# Wine\n\nTells <b>red</b> from white.\n"
    assert card["metadata"] == {
        "license": "apache-2.0", "language": ["no", "de"], "datasets": ["wine"], "base_model": "acme/wine",
        "released": "2026-11-21", "metrics": [{"name": "accuracy", "value": 0.9}], "verified": False,
    }  # fmt: skip


def test_a_card_is_also_the_markdown_that_it_is(wine: None, erin: httpx.Client) -> None:
    markdown = {"Content-Type": "text/markdown; charset=utf-8"}
    assert erin.put(CARD, content=TEXT.encode(), headers=markdown).status_code == 201

    answer = erin.get(CARD, headers={"Accept": "text/markdown"})

    assert (answer.text, answer.headers["Content-Type"]) == (TEXT, "text/markdown; charset=utf-8")
    again = erin.put(CARD, content=b"# New", headers={**markdown, "If-Match": answer.headers["ETag"]})
    assert (again.status_code, again.json()["metadata"]) == (200, {})
    for content in (b"\xff", b"a\0b", b""):
        assert erin.put(CARD, content=content, headers={**markdown, "If-Match": "*"}).status_code == 400


def test_a_card_is_deleted_by_who_has_read_it(wine: None, erin: httpx.Client) -> None:
    erin.put(CARD, json={"text": TEXT})

    assert erin.delete(CARD).status_code == 428
    assert erin.delete(CARD, headers={"If-Match": erin.get(CARD).headers["ETag"]}).status_code == 204
    assert erin.get(CARD).status_code == 404


def test_a_card_that_is_not_there_meets_no_condition(wine: None, erin: httpx.Client) -> None:
    assert erin.put(CARD, json={"text": TEXT}, headers={"If-Match": "*"}).status_code == 412
    assert erin.put(CARD, json={"text": TEXT}, headers={"If-None-Match": "*"}).status_code == 201
    assert erin.put(CARD, json={"text": TEXT}, headers={"If-None-Match": "*"}).status_code == 428


@pytest.mark.parametrize(
    ("front", "word"),
    [
        ("a: [", "YAML"),
        ("a: 1\na: 2", "twice"),
        ("- a", "list"),
        ("a", "str"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: !!python/object/apply:os.system ['true']", "YAML"),
        ("a: !!binary aGk=", "YAML"),
        ("a: !!set {b}", "YAML"),
        ("a: .inf", "finite"),
        ("a: .nan", "finite"),
        ("? [a]\n: b", "text"),
        ("a: " + "[" * 30 + "]" * 30, "nested"),
        ("a: " + "[" * 20_000, "nested"),
        ('a: "\\0"', "character"),
        ('a: "\\ud800"', "character"),
        ("a: " + "x" * 60_000, "characters"),
    ],
    ids=lambda value: f"{str(value)[:30]} {len(str(value))}",
)
def test_front_matter_that_is_not_plain_data_is_refused_and_the_place_is_named(front: str, word: str) -> None:
    with pytest.raises(InvalidFrontMatter, match=word):
        split_card(f"---\n{front}\n---\n# Text")


def test_the_line_of_a_fault_is_the_line_of_the_card() -> None:
    with pytest.raises(InvalidFrontMatter, match="line 4"):
        split_card("---\na: 1\nb: 2\na: 3\n---\n")


def test_a_few_lines_do_not_become_gigabytes() -> None:
    """The control is PyYAML's own safe loader, which reads them."""
    import yaml

    bomb = "a: &a [x]\n" + "".join(
        f"{new}: &{new} [*{old},*{old}]\n" for old, new in zip("abcde", "bcdef", strict=True)
    )
    assert len(str(yaml.safe_load(bomb))) > 5 * len(bomb)

    with pytest.raises(InvalidFrontMatter):
        split_card(f"---\n{bomb}---\n")


@pytest.mark.parametrize(
    ("text", "metadata", "body"),
    [
        ("", {}, ""),
        ("# A", {}, "# A"),
        ("---\n---\n# A", {}, "# A"),
        ("---\r\na: 1\r\n---\r\n# A\r\n---\r\n", {"a": 1}, "# A\r\n---\r\n"),
        ("text\n---\na: [\n---\n", {}, "text\n---\na: [\n---\n"),
        ("---\na: 'yes'\nb: yes\nc: on\nd: true\ne: 0x10\nf: 010\ng: 1_000\nh: -7\ni: ~\nj: 1:30\n1: x\n---\n",
         {"a": "yes", "b": "yes", "c": "on", "d": True, "e": "0x10", "f": "010", "g": "1_000", "h": -7, "i": None, "j": "1:30", "1": "x"}, ""),
        ("---\n<<: {a: 1}\n---\n", {"<<": {"a": 1}}, ""),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_front_matter_is_read_as_it_looks(text: str, metadata: dict[str, Any], body: str) -> None:
    assert split_card(text) == (metadata, body)
