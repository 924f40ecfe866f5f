"""foretell models, versions, show: what there is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foretell.cli.connecting import AsJSON, ModelName, find_version, open_client, parse_reference
from foretell.cli.output import print_json, print_rows, say

if TYPE_CHECKING:
    from foretell.client import Model, Version

ModelReference = Annotated[
    str, typer.Argument(metavar="NAME[@ALIAS|:VERSION]", help="Such as iris, iris@challenger or iris:3.")
]


def register(app: typer.Typer) -> None:
    for name, command in (("models", models), ("versions", versions), ("show", show)):
        app.command(name, rich_help_panel="Models")(command)


def models(
    search: Annotated[str | None, typer.Option(help="Only those that contain this.")] = None, as_json: AsJSON = False
) -> None:
    """List the registered models."""
    with open_client() as client:
        found = client.models(search=search)
    if as_json:
        print_json([model.raw for model in found])
        return
    if not found:
        say("There are no models yet. `foretell push model.joblib --name NAME` makes one.")
    rows = [_model_row(model) for model in found]
    print_rows(rows, as_json=False, columns=["name", "task", "aliases", "latest", "description"])


def versions(name: ModelName, as_json: AsJSON = False) -> None:
    """List the versions of a model, the newest first."""
    with open_client() as client:
        found = client.versions(name)
    if as_json:
        print_json([version.raw for version in found])
        return
    rows = [_version_row(version) for version in found]
    print_rows(rows, as_json=False, columns=["version", "state", "aliases", "runtime", "metrics", "author", "created"])


def show(model: ModelReference, as_json: AsJSON = False) -> None:
    """Show a model's champion, or the version that an alias or a number names."""
    reference = parse_reference(model)
    with open_client() as client:
        version = find_version(client, reference)
        found = version if version is not None else client.model(reference.name)
    if as_json:
        print_json(found.raw)
        return
    facts = _model_facts(found) if version is None else _version_facts(version)
    print_rows([{"field": name, "value": value} for name, value in facts.items() if value], as_json=False)
    print_rows([_input_row(item) for item in (found.signature or {}).get("inputs", ())], as_json=False)


def _model_row(model: "Model") -> dict[str, Any]:
    return {
        "name": model.name,
        "task": model.task,
        "aliases": [f"{alias}:{number}" for alias, number in model.aliases.items()],
        "latest": model.latest_version,
        "description": _first_line(model.description),
    }


def _version_row(version: "Version") -> dict[str, Any]:
    return {
        "version": version.version,
        "state": version.state,
        "aliases": version.aliases,
        "runtime": version.runtime,
        "metrics": version.metrics,
        "author": version.created_by,
        "created": f"{version.created_at.astimezone():%Y-%m-%d %H:%M}",
    }


def _model_facts(model: Any) -> dict[str, Any]:
    return {
        "model": model.name,
        "task": model.task,
        "aliases": "none: no version is served yet",
        "description": model.description,
    }


def _version_facts(version: "Version") -> dict[str, Any]:
    return {
        "model": version.model,
        "version": version.version,
        "state": version.state,
        "reason": version.reason.message if version.reason else None,
        "aliases": version.aliases,
        "task": version.task,
        "classes": _classes(version.signature),
        "runtime": version.runtime,
        "because": version.runtime_reason,
        "metrics": version.metrics,
        "tags": version.tags,
        "description": version.description,
        "git commit": version.lineage.get("git_commit"),
        "author": version.lineage.get("author") or version.created_by,
        "created": f"{version.created_at.astimezone():%Y-%m-%d %H:%M}",
        "sha256": version.sha256,
        "size": f"{version.size_bytes:,} bytes" if version.size_bytes else None,
    }


def _classes(signature: Mapping[str, Any] | None) -> list[Any]:
    outputs = (signature or {}).get("outputs", ())
    return list(outputs[0].get("classes", ())) if len(outputs) == 1 else []


def _input_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "input": item["name"],
        "type": item["dtype"] + (", may be missing" if item.get("nullable") else ""),
        "values": item.get("categories") or _range(item.get("range")),
        "unit": item.get("unit"),
        "help": _first_line(item.get("help", "")),
    }


def _range(bounds: Any) -> str | None:
    return f"{bounds[0]:g} to {bounds[1]:g}" if bounds else None


def _first_line(text: str) -> str | None:
    return text.strip().split("\n", 1)[0][:80] or None
