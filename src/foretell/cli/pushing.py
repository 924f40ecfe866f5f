"""foretell push: from a file to a served version."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from foretell.cli.connecting import AsJSON, MalformedArgument, parse_pairs
from foretell.cli.output import print_json

File = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…", help="The model's file; several are a chain, in the order in which rows go through them."
    ),
]


class Where(StrEnum):
    HERE = "here"
    SERVER = "server"


def register(app: typer.Typer) -> None:
    app.command("push", rich_help_panel="Models")(push)


def push(
    files: File,
    name: Annotated[str, typer.Option(help="The model's name.")],
    sample: Annotated[Path | None, typer.Option(help="Rows like those of training, as CSV with a header line.")] = None,
    target: Annotated[
        str | None, typer.Option(help="The sample's column that the model predicts; it is left out.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="Move this alias to the version when it is ready.")] = None,
    metric: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="A metric; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="NAME=TEXT", help="A tag; may be repeated.")] = None,
    description: Annotated[str, typer.Option(help="What the version is.")] = "",
    accept_difference: Annotated[
        float | None, typer.Option(min=0, help="Serve the fast graph although it differs from the model by up to this.")
    ] = None,
    refine: Annotated[
        Path | None, typer.Option(help="Units, help, limits of the inputs, as JSON; see docs/push.md.")
    ] = None,
    convert: Annotated[
        Where, typer.Option(help="Convert a model file here, with this environment's packages, or on the server.")
    ] = Where.HERE,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is ready, or has failed.")] = True,
    as_json: AsJSON = False,
) -> None:
    """Push a trained model: joblib, pickle, skops, ONNX, XGBoost or LightGBM."""
    from foretell.publishing import push as push_model

    version = push_model(
        files if len(files) > 1 else files[0],
        name,
        sample=sample,
        target=target,
        alias=alias,
        metrics=parse_metrics(metric or []),
        tags=parse_pairs(tag or [], "tag"),
        description=description,
        refinements=read_refinements(refine) if refine else None,
        accept_difference=accept_difference,
        convert=convert.value,
        wait=wait,
    )
    print_json(version.raw) if as_json else print(f"{version.model}:{version.version}")


def parse_metrics(texts: list[str]) -> dict[str, float]:
    metrics = {}
    for name, text in parse_pairs(texts, "metric").items():
        try:
            metrics[name] = float(text)
        except ValueError:
            raise MalformedArgument(f"The metric {name!r} is {text!r}; expected a number.") from None
    return metrics


def read_refinements(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except OSError as err:
        raise MalformedArgument(f"{path} cannot be read: {err.strerror}.") from None
    except ValueError as err:
        raise MalformedArgument(f"{path} is not JSON: {err}.") from None
    if not isinstance(data, dict):
        raise MalformedArgument(
            f'{path} holds a {type(data).__name__}; expected {{"inputs": {{…}}, "outputs": {{…}}}}.'
        )
    return data
