"""foretell predict: ask a model, with values on the command line or rows from a file."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from foretell.cli.connecting import (
    AsJSON,
    MalformedArgument,
    Reference,
    find_version,
    open_client,
    parse_pairs,
    parse_reference,
)
from foretell.cli.output import print_json, print_rows, say
from foretell.cli.typed_values import guessed, typed_row

if TYPE_CHECKING:
    from foretell.client import Client, Prediction, Predictions

ModelReference = Annotated[
    str, typer.Argument(metavar="NAME[@ALIAS|:VERSION]", help="Such as iris, iris@challenger or iris:3.")
]


def register(app: typer.Typer) -> None:
    app.command("predict", rich_help_panel="Models")(predict)


def predict(
    model: ModelReference,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE…]", help="One row; an empty value is missing.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="Rows as CSV or JSON; - reads them from stdin.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Ask a model: its champion, or the version that an alias or a number names.

    A CSV file comes back with the columns of the answers; everything else comes back as the prediction, or as JSON with --json.
    """
    reference = parse_reference(model)
    if (file is None) == (not values):
        raise MalformedArgument("Give either name=value arguments for one row, or -f with a file of rows.")
    with open_client() as client:
        if file is None:
            _answer(client, reference, _row(client, reference, values or []), as_json)
        else:
            _answer_file(client, reference, read_input(file), as_json)


def read_input(place: str) -> bytes:
    if place == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(place).read_bytes()
    except OSError as err:
        raise MalformedArgument(f"{place} cannot be read: {err.strerror}.") from None


def _answer_file(client: "Client", reference: Reference, data: bytes, as_json: bool) -> None:
    if data.lstrip()[:1] in (b"{", b"["):
        _answer(client, reference, _rows_of_json(data), as_json)
    elif as_json:
        print_json(client.predict_table(reference.name, data, **_which(reference)).raw)
    else:
        table = client.predict_csv(reference.name, data, **_which(reference))
        sys.stdout.write(table.decode())


def _rows_of_json(data: bytes) -> Any:
    """Return one row or a list of rows; what `{"instances": …}` wraps is unwrapped."""
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as err:
        raise MalformedArgument(f"The rows are not JSON: {err}.") from None
    if isinstance(rows, dict) and set(rows) == {"instances"}:
        return rows["instances"]
    return rows


def _row(client: "Client", reference: Reference, values: list[str]) -> dict[str, Any]:
    """Type the texts of the command line by the signature; by their looks where the key may not read it."""
    from foretell.client import PermissionDenied

    texts = parse_pairs(values, "value")
    try:
        version = find_version(client, reference)
    except PermissionDenied:
        return {name: guessed(text) for name, text in texts.items()}
    return typed_row(texts, version.signature if version is not None else None)


def _answer(client: "Client", reference: Reference, rows: Any, as_json: bool) -> None:
    answer = client.predict(reference.name, rows, **_which(reference))
    _warn(answer)
    if as_json:
        print_json(answer.raw)
    elif isinstance(rows, Mapping):
        _print_one(answer)
    else:
        print_rows([{"prediction": item.prediction, **(item.probabilities or {})} for item in answer], as_json=False)


def _which(reference: Reference) -> dict[str, Any]:
    return {"alias": reference.alias, "version": reference.version}


def _warn(answer: "Prediction | Predictions") -> None:
    for warning in answer.warnings:
        say(f"[yellow]warning:[/] {escape(f'{warning.attr}: {warning.detail}' if warning.attr else warning.detail)}")


def _print_one(answer: "Prediction") -> None:
    """Print the bare prediction, so that a script can use it; a person sees the probabilities as well."""
    shown = answer.prediction
    print(json.dumps(shown, ensure_ascii=False) if isinstance(shown, (dict, list, bool)) else shown)
    if answer.probabilities and sys.stdout.isatty():
        ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
        print_rows([{"class": label, "probability": f"{share:.1%}"} for label, share in ranked[:20]], as_json=False)
    say(f"[dim]by {escape(answer.model)} version {answer.version}[/]")
