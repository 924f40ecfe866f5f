"""foretell operator link | end: the way into the operators' admin, and out of it."""

from typing import Annotated

import typer

from foretell.cli.output import said, say
from foretell.cli.server.installation import installation
from foretell.errors import ForetellError

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class NoOperatorsHost(ForetellError):
    code = "no_operators_host"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "The operators' admin has no address: FORETELL_OPERATORS_HOST is not set. Set it to a host name that is no tenant's, such as "
            "operators.example.com, and restart the web processes."
        )


def register(app: typer.Typer) -> None:
    operator = typer.Typer(help="The operators' admin: who gets in.", no_args_is_help=True)
    for name, command in (("link", link), ("end", end)):
        operator.command(name)(command)
    app.add_typer(operator, name="operator")


def link(as_json: AsJSON = False) -> None:
    """Print a link into the operators' admin: it works once, for ten minutes, and opens a session of an hour."""
    with installation():
        from django.conf import settings
        from django.utils import timezone

        from foretell.admin.operators.links import link_of
        from foretell.admin.operators.sessions import make_link
        from foretell.audit.actors import current_actor

        if not settings.OPERATORS_HOST:
            raise NoOperatorsHost
        made, secret = make_link(operator=current_actor().name, now=timezone.now())
        url = link_of(secret)
    if not as_json:
        say(f"Until {made.link_expires_at:%H:%M:%S} UTC, once, and for you alone:")
        typer.echo(url)
        return
    said("", {"url": url, "expires_at": made.link_expires_at})


def end(as_json: AsJSON = False) -> None:
    """End every operator's session, and take back every link."""
    with installation():
        from django.utils import timezone

        from foretell.admin.operators.sessions import end_all

        count = end_all(now=timezone.now())
    said(f"[green]ended[/] {count}.", {"ended": count} if as_json else None)
