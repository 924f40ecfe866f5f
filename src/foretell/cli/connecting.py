"""What the commands of the client share: the connection, the `--json` option, and how a version is named."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from foretell.errors import ForetellError

if TYPE_CHECKING:
    from foretell.client import Client, Version

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
ModelName = Annotated[str, typer.Argument(metavar="NAME", help="The model's name.")]

_REFERENCE = re.compile(r"(?P<name>[^@:]+)(?:@(?P<alias>[^@:]+)|:(?P<version>[1-9][0-9]{0,8}))?")


class MalformedArgument(ForetellError):
    """An argument of a command that cannot be read."""

    code = "invalid"


@dataclass(frozen=True, slots=True)
class Reference:
    """A model, or one version of it: ``iris``, ``iris@challenger`` or ``iris:3``."""

    name: str
    alias: str | None = None
    version: int | None = None


def parse_reference(text: str) -> Reference:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise MalformedArgument(
            f"{text!r} names no version; expected NAME, NAME@ALIAS or NAME:VERSION, such as iris:3."
        )
    return Reference(match["name"], match["alias"], int(match["version"]) if match["version"] else None)


def parse_pairs(texts: list[str], what: str) -> dict[str, str]:
    """Read NAME=VALUE arguments; the name ends at the first ``=``."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise MalformedArgument(f"{text!r} is no {what}; expected name=value.")
        if name in pairs:
            raise MalformedArgument(f"The {what} {name!r} is given twice.")
        pairs[name] = value
    return pairs


def open_client() -> "Client":
    """Return a client for the server that the environment or `foretell login` names."""
    from foretell.client import (
        Client,  # Optimization: httpx costs a quarter of a second, which --help need not wait for
    )

    return Client()


def find_version(client: "Client", reference: Reference) -> "Version | None":
    """Return the version that is named; None for a bare name without a champion."""
    if reference.version is not None:
        return client.version(reference.name, reference.version)
    number = client.model(reference.name).aliases.get(reference.alias or "champion")
    if number is not None:
        return client.version(reference.name, number)
    if reference.alias is not None:
        raise NoSuchAlias(f"The model {reference.name!r} has no alias {reference.alias!r}.")
    return None


class NoSuchAlias(ForetellError):
    code = "not_found"
