"""Commands that run or administer an installation. They need `foretell[server]`, which they import only when run."""

import typer

from foretell.cli.server import (
    access,
    accounts,
    audit,
    doctor,
    identity,
    keys,
    manage,
    operators,
    plans,
    processes,
    tenants,
    tokens,
)


def register(app: typer.Typer) -> None:
    for module in (
        processes,
        tenants,
        plans,
        accounts,
        keys,
        identity,
        access,
        tokens,
        audit,
        operators,
        doctor,
        manage,
    ):
        module.register(app)
