"""The documents cannot fall behind the code: variables, commands and links are compared with it."""

import re
from pathlib import Path

import pytest
import typer

from foretell.cli.app import build_app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
READ = re.compile(r"""\benv\.(?:text|integer|boolean|listing|choice|url)\(\s*["']([A-Z][A-Z0-9_]*)["']""")
OFFERED = re.compile(r"""\benvvar=["']([A-Z][A-Z0-9_]*)["']""")
LOOKED_UP = re.compile(r"""\benviron\.get\(["']([A-Z][A-Z0-9_]*)["']""")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def variables() -> list[str]:
    """Return every variable that the source reads, and the one that `env.home` does."""
    found = {"FORETELL_HOME"}
    for path in (ROOT / "src" / "foretell").rglob("*.py"):
        source = path.read_text()
        for pattern in (READ, OFFERED, LOOKED_UP):
            found.update(pattern.findall(source))
    return sorted(found)


def commands() -> list[str]:
    """Return every command with its group, such as `tenant create`."""
    click_app = typer.main.get_command(build_app())
    found = []
    for name, command in getattr(click_app, "commands", {}).items():
        inner = getattr(command, "commands", None)
        found += [f"{name} {sub}" for sub in inner] if inner else [name]
    return found


@pytest.mark.parametrize("name", variables())
@pytest.mark.parametrize("document", [".env.example", "docs/configuration.md"])
def test_every_variable_is_documented(name: str, document: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / document).read_text())


def test_no_variable_is_documented_that_nobody_reads() -> None:
    listed = re.findall(r"^# ([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(listed) == variables()


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    texts = [(ROOT / "docs" / name).read_text() for name in ("operations.md", "client.md", "push.md")]

    assert any(f"foretell {command}" in text for text in texts)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(document.read_text()) if "://" not in link]

    assert [target for target in targets if target and not (document.parent / target).exists()] == []
