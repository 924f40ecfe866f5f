"""Commands that speak to a server, through the same client that everybody has. A base install has all of them."""

import typer

from foretell.cli import listing, login, prediction_log, promoting, pushing
from foretell.cli import predicting as asking


def register(app: typer.Typer) -> None:
    for module in (login, pushing, listing, promoting, asking, prediction_log):
        module.register(app)
