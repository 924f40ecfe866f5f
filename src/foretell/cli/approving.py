"""foretell promotions, approve, decline, withdraw: where a model asks for a second person."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from foretell.cli.connecting import AsJSON, MalformedArgument, open_client
from foretell.cli.output import print_json, print_rows, say

if TYPE_CHECKING:
    from foretell.client import Client, Promotion

PromotionID = Annotated[str, typer.Argument(metavar="ID", help="As `foretell promotions` shows it.")]
Comment = Annotated[str, typer.Option(help="Why; kept with the decision.")]


def register(app: typer.Typer) -> None:
    for name, command in (
        ("promotions", promotions),
        ("approve", approve),
        ("decline", decline),
        ("withdraw", withdraw),
    ):
        app.command(name, rich_help_panel="Models")(command)


def promotions(
    all: Annotated[bool, typer.Option("--all", help="Those that are decided, too.")] = False, as_json: AsJSON = False
) -> None:
    """List the promotions that wait for a second person."""
    with open_client() as client:
        found = client.promotions(state=None if all else "open")
    if as_json:
        print_json([one.raw for one in found])
        return
    if not found:
        say("No promotion waits.")
    columns = ["id", "model", "alias", "from_version", "version", "state", "requested_by", "decided_by"]
    print_rows([{name: getattr(one, name) for name in columns} for one in found], as_json=False, columns=columns)


def approve(id: PromotionID, comment: Comment = "", as_json: AsJSON = False) -> None:
    """Agree as the second person: the alias moves at once."""
    with open_client() as client:
        decided = client.approve(_waiting(client, id), comment=comment)
    _tell("[green]approved[/]", decided, as_json)


def decline(id: PromotionID, comment: Comment = "", as_json: AsJSON = False) -> None:
    """Say no as the second person: the alias stays where it is."""
    with open_client() as client:
        decided = client.decline(_waiting(client, id), comment=comment)
    _tell("[green]declined[/]", decided, as_json)


def withdraw(id: PromotionID, comment: Comment = "", as_json: AsJSON = False) -> None:
    """Take back what you asked for."""
    with open_client() as client:
        decided = client.withdraw(_waiting(client, id), comment=comment)
    _tell("[green]withdrew[/]", decided, as_json)


def _waiting(client: "Client", id: str) -> "Promotion":
    found = next((one for one in client.promotions(state="open") if one.id == id), None)
    if found is None:
        raise MalformedArgument(f"No promotion {id!r} waits. `foretell promotions --all` shows those that are decided.")
    return found


def _tell(verb: str, decided: "Promotion", as_json: bool) -> None:
    say(f"{verb} {escape(decided.model)} version {decided.version} as {escape(decided.alias)}.")
    if as_json:
        print_json(decided.raw)
