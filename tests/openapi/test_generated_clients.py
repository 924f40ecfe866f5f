"""Clients that others' generators make of our document: they compile, and speak with a running server in the models' own field names."""

import json
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import ROOT, Served, environment

pytestmark = pytest.mark.acceptance

CLIENTS = ROOT / "tests" / "acceptance" / "clients"
PASSENGERS: list[dict[str, Any]] = [
    {"pclass": 1, "sex": "female", "age": 17.0, "sibsp": 1, "parch": 2, "fare": 100.0, "embarked": "S"},
    {"pclass": 3, "sex": "male", "age": 40.0, "sibsp": 0, "parch": 0, "fare": 7.25, "embarked": "Q"},
]
UNSUPPORTED = "Unsupported content type text/"  # it generates JSON; CSV and Markdown are asked for by hand


def run(command: Sequence[object], *, cwd: Path, stdin: str = "") -> str:
    done = subprocess.run(
        [str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def answers(acme: Served) -> list[Any]:
    url, headers = f"{acme.url}/api/v1/models/titanic/predict/", {"X-API-Key": acme.key("erin")}
    predictions: list[Any] = httpx.post(url, json={"instances": PASSENGERS}, headers=headers).json()["predictions"]
    return predictions


def generated(place: Path, document: Path) -> list[str]:
    """Generate a Python client, and return what its generator warned of."""
    tool = environment("openapi-python-client") / "bin" / "openapi-python-client"
    options = ["--meta", "none", "--output-path", place / "generated"]
    said = run([tool, "generate", "--path", document, *options], cwd=place)
    paragraphs = said.split("\n\n")
    return [after for before, after in pairwise(paragraphs) if before.startswith("WARNING")]


def test_a_python_client_lists_predicts_and_reads_what_is_wrong(acme_served: Served, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(acme_served.document("erin")))
    warnings = generated(tmp_path, document)
    task = {"place": str(tmp_path), "url": acme_served.url, "key": acme_served.key("erin"), "rows": PASSENGERS}

    python = environment("openapi-python-client") / "bin" / "python"
    shown = json.loads(run([python, CLIENTS / "drive_openapi_python_client.py"], cwd=tmp_path, stdin=json.dumps(task)))

    expected = answers(acme_served)
    assert [warning for warning in warnings if not warning.startswith(UNSUPPORTED)] == []
    assert shown == {
        "models": ["sum", "titanic", "wine"],
        "fields": sorted(PASSENGERS[0]),
        "prediction": expected[0],
        "predictions": expected,
        "wrong": {"status": 400, "attrs": ["age"]},
        "made": "by-generated-client",
        "missing": "not_found",
    }


def test_a_python_client_is_generated_from_the_snapshot_without_a_gap(tmp_path: Path) -> None:
    warnings = generated(tmp_path, ROOT / "docs" / "openapi.yaml")

    assert [warning for warning in warnings if not warning.startswith(UNSUPPORTED)] == []
    assert (tmp_path / "generated" / "api" / "predict" / "ask_champion.py").exists()


def test_a_typescript_client_lists_predicts_and_knows_each_field(acme_served: Served, tmp_path: Path) -> None:
    modules = environment("typescript", "installed.json") / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_text(json.dumps(acme_served.document("erin")))
    (tmp_path / "drive.ts").write_text((CLIENTS / "typescript" / "drive.ts").read_text())

    run(["node", modules / ".bin" / "openapi-typescript", "openapi.json", "-o", "schema.ts"], cwd=tmp_path)
    strict = [
        "--strict",
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--lib",
        "es2022,dom",
        "--noUncheckedIndexedAccess",
    ]
    run(["node", modules / ".bin" / "tsc", *strict, "drive.ts"], cwd=tmp_path)
    told = ["node", "drive.js", acme_served.url, acme_served.key("erin"), json.dumps(PASSENGERS[0])]
    shown = json.loads(run(told, cwd=tmp_path))

    first = answers(acme_served)[0]
    assert {"sum", "titanic", "wine"} <= set(shown.pop("models"))
    assert shown == {
        "prediction": first,
        "predictions": [first, first],
        "wrong": {"status": 400, "attrs": ["age"]},
        "unknown": {"status": 400, "attrs": ["shoe_size"]},
    }
