"""Commands that run or administer an installation. They need `foretell[server]`, which they import only when run."""

import typer

from foretell.cli.server import access, accounts, audit, doctor, keys, manage, plans, processes, tenants, tokens


def register(app: typer.Typer) -> None:
    for module in (processes, tenants, plans, accounts, keys, access, tokens, audit, doctor, manage):
        module.register(app)
