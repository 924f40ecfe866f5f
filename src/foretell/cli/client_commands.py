"""Commands that speak to a server, through the same client that everybody has. A base install has all of them."""

import typer

from foretell.cli import approving, listing, login, prediction_log, promoting, pushing
from foretell.cli import predicting as asking


def register(app: typer.Typer) -> None:
    for module in (login, pushing, listing, promoting, approving, asking, prediction_log):
        module.register(app)
