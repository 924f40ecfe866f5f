"""Commands that run or administer an installation. They need `foretell[server]`, which they import only when run."""

import typer

from foretell.cli.server import accounts, doctor, manage, plans, processes, tenants, tokens


def register(app: typer.Typer) -> None:
    for module in (processes, tenants, plans, accounts, tokens, doctor, manage):
        module.register(app)
