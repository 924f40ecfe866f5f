"""foretell promote, rollback: which version an alias points at."""

from typing import Annotated

import typer
from rich.markup import escape

from foretell.cli.connecting import AsJSON, MalformedArgument, ModelName, open_client, parse_reference
from foretell.cli.output import print_json, say

AliasName = Annotated[str, typer.Option("--alias", help="The alias to move.")]


def register(app: typer.Typer) -> None:
    app.command("promote", rich_help_panel="Models")(promote)
    app.command("rollback", rich_help_panel="Models")(rollback)


def promote(
    version: Annotated[str, typer.Argument(metavar="NAME:VERSION", help="Such as iris:3.")],
    alias: AliasName = "champion",
    allow_signature_change: Annotated[
        bool, typer.Option("--allow-signature-change", help="Although callers of the present version may be refused.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Point an alias at a version; the next prediction uses it. Where the model wants a second person, ask for it."""
    reference = parse_reference(version)
    if reference.version is None:
        raise MalformedArgument(f"{version!r} names no version; expected NAME:VERSION, such as {reference.name}:3.")
    with open_client() as client:
        moved = client.promote(reference.name, reference.version, alias, allow_signature_change=allow_signature_change)
    if moved.is_waiting:
        say(
            f"[yellow]asked for[/] {escape(moved.model)} version {moved.version} as {escape(moved.alias)}: a second person approves it, by "
            f"`foretell approve {escape(str(moved.raw.get('id', 'ID')))}`."
        )
    else:
        say(f"[green]promoted[/] {escape(moved.model)} version {moved.version} to {escape(moved.alias)}.")
    if as_json:
        print_json(moved.raw)


def rollback(name: ModelName, alias: AliasName = "champion", as_json: AsJSON = False) -> None:
    """Point an alias back at the version before."""
    with open_client() as client:
        moved = client.rollback(name, alias)
    say(f"[green]rolled back[/] {escape(moved.alias)} of {escape(moved.model)} to version {moved.version}.")
    if as_json:
        print_json(moved.raw)
