"""Other people's clients, as they are installed from their packages, against a running `foretell up`: each gives the answers of our own API."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.installation import Door, Installation

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
DRIVERS = Path(__file__).parent / "clients"
ENVIRONMENTS = ROOT / ".venv" / "clients"

IRIS_ROWS = [[7.9, 2.9, 6.3, 1.8], [5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 5.1, 1.6]]
IRIS_COLUMNS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
IRIS = [{"name": "input-0", "datatype": "FP64", "data": IRIS_ROWS}]
ADDITION = [
    {"name": "a", "datatype": "FP32", "data": [1.5, 2.25]},
    {"name": "b", "datatype": "INT64", "data": [[3], [4]]},
]
PASSENGERS = {
    "pclass": ("INT64", [1, 3]), "sex": ("BYTES", ["female", "male"]), "age": ("FP64", [17.0, 40.0]), "sibsp": ("INT64", [1, 0]),
    "parch": ("INT64", [2, 0]), "fare": ("FP64", [100.0, 7.25]), "embarked": ("BYTES", ["S", "Q"]),
}  # fmt: skip
WAYS = [("host", "Bearer"), ("host", "Basic"), ("prefix", "X-API-Key"), ("prefix", "Bearer")]
TITANIC = [{"name": name, "datatype": datatype, "data": data} for name, (datatype, data) in PASSENGERS.items()]


def environment(name: str) -> Path:
    place = ENVIRONMENTS / name
    if not (place / "installed.txt").exists():
        pytest.skip(f"{name} is not installed here: tools/test-clients installs it")
    return place / "bin"


def driven(name: str, task: dict[str, Any]) -> Any:
    """Run a driver in its own environment, and return what it printed."""
    done = subprocess.run(
        [environment(name) / "python", DRIVERS / f"drive_{name}.py"], input=json.dumps(task), capture_output=True, text=True,
        timeout=120, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def pair(door: Door) -> tuple[str, str]:
    """Return a key as a Basic name and password."""
    _, identifier, rest = door.api_key.split("_")
    return identifier, rest


def credentials(door: Door) -> dict[str, dict[str, str]]:
    basic = base64.b64encode(":".join(pair(door)).encode()).decode()
    return {
        "Bearer": door.headers,
        "Basic": {"Authorization": f"Basic {basic}"},
        "X-API-Key": {"X-API-Key": door.api_key},
    }


def addresses(installation: Installation) -> dict[str, str]:
    return {"host": installation.root, "prefix": f"{installation.root}/t/demo"}


def task_for(url: str, headers: dict[str, str], model: str, tensors: list[Any], outputs: list[str]) -> dict[str, Any]:
    return {
        "url": url, "address": url.removeprefix("http://"), "headers": headers, "model": model, "tensors": tensors,
        "outputs": outputs, "version": "1", "rows": IRIS_ROWS,
    }  # fmt: skip


def own_answer(door: Door, model: str, instances: list[Any]) -> dict[str, Any]:
    url = f"{door.url}/api/v1/models/{model}/predict/"
    answer = httpx.post(url, json={"instances": instances}, headers=door.headers, timeout=30)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def iris_outputs(door: Door) -> dict[str, Any]:
    """Return what our own API answers, as tensors."""
    own = own_answer(door, "iris", IRIS_ROWS)
    return {"predict": own["predictions"], "predict_proba": [list(row.values()) for row in own["probabilities"]]}


# --- tritonclient ---


@pytest.mark.parametrize(("address", "credential"), WAYS)
def test_tritonclient_gets_our_own_answers(
    installation: Installation, demo: Door, address: str, credential: str
) -> None:
    expected = iris_outputs(demo)

    result = driven("tritonclient", task_for(
        addresses(installation)[address], credentials(demo)[credential], "iris", IRIS, ["predict", "predict_proba"]
    ))  # fmt: skip

    assert (result["live"], result["ready"], result["model_ready"], result["version_ready"], result["aio_ready"]) == (
        True,
    ) * 5
    assert result["no_model_ready"] is False
    assert {"name", "version", "extensions"} <= result["server"].keys()
    assert [tensor["name"] for tensor in result["metadata"]["inputs"]] == IRIS_COLUMNS
    assert (
        {"iris", "titanic", "addition"}
        <= {entry["name"] for entry in result["index"]}
        == {entry["name"] for entry in result["aio_index"]}
    )
    assert len(result["answers"]) == 11
    for how, answer in result["answers"].items():
        assert answer["outputs"] == expected, how
        assert (answer["model"], answer["version"]) == ("iris", "1"), how
        assert (answer["id"] == "mine") is (how != "no outputs named"), how


def test_tritonclient_understands_each_refusal(installation: Installation, demo: Door) -> None:
    refusals = driven("tritonclient", task_for(demo.url, demo.headers, "titanic", TITANIC, ["predict"]))["refusals"]

    assert {name: refusal["status"] for name, refusal in refusals.items()} == {
        "no such model": "404", "a stranger": "401", "a wrong shape": "400"
    }  # fmt: skip
    assert "not yours" in refusals["no such model"]["message"]
    assert "missing" in refusals["a wrong shape"]["message"]


@pytest.mark.parametrize(("model", "tensors"), [("addition", ADDITION), ("titanic", TITANIC)])
def test_tritonclient_sends_named_tensors_of_any_type(demo: Door, model: str, tensors: list[Any]) -> None:
    columns = {
        tensor["name"]: [value[0] if isinstance(value, list) else value for value in tensor["data"]]
        for tensor in tensors
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    expected = own_answer(demo, model, rows)["predictions"]

    result = driven("tritonclient", task_for(demo.url, demo.headers, model, tensors, ["predict"]))

    assert {json.dumps(answer["outputs"]["predict"]) for answer in result["answers"].values()} == {json.dumps(expected)}


# --- kserve ---


@pytest.mark.parametrize(("address", "credential"), WAYS)
def test_kserves_client_gets_our_own_answers_in_both_protocols(
    installation: Installation, demo: Door, address: str, credential: str
) -> None:
    expected = iris_outputs(demo)

    result = driven("kserve", task_for(
        addresses(installation)[address], credentials(demo)[credential], "iris", IRIS, ["predict", "predict_proba"]
    ))  # fmt: skip

    assert (result["live"], result["ready"], result["model_ready"], result["v1_live"], result["v1_ready"]) == (
        True,
    ) * 5
    for how, answer in result["answers"].items():
        assert (answer["outputs"], answer["id"], answer["model"]) == (expected, "mine", "iris"), how
    assert result["v1_predictions"] == expected["predict"]
    assert {name: refusal["status"] for name, refusal in result["refusals"].items()} == {
        "no such model": 404,
        "a stranger": 401,
    }
    assert "not yours" in result["refusals"]["no such model"]["message"]
    assert (result["v1_refusal"]["status"], "expected 4" in result["v1_refusal"]["message"]) == (400, True)


# --- mlserver ---


@pytest.mark.parametrize(
    "options", [[], ["--batch-size", "2"], ["--binary-data"]], ids=["one by one", "in batches", "binary"]
)
def test_mlservers_batch_command_gets_our_own_answers(demo: Door, place: Path, options: list[str]) -> None:
    mlserver = environment("mlserver") / "mlserver"
    requests = [{"inputs": [{**IRIS[0], "shape": [1, 4], "data": row}]} for row in IRIS_ROWS]
    asked, answered = place / "requests.jsonl", place / "responses.jsonl"
    asked.write_text("\n".join(map(json.dumps, requests)) + "\n")
    answered.unlink(missing_ok=True)

    done = subprocess.run(
        [mlserver, "infer", "-u", demo.url.removeprefix("http://"), "-m", "iris", "-i", asked, "-o", answered, "-r", "1",
         "-H", f"Authorization: Bearer {demo.api_key}", *options],
        capture_output=True, text=True, timeout=120, check=False, cwd=place,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    answers = sorted(
        (json.loads(line) for line in answered.read_text().splitlines()),
        key=lambda answer: answer["parameters"]["batch_index"],
    )
    labels = [output["data"][0] for answer in answers for output in answer["outputs"] if output["name"] == "predict"]
    assert labels == iris_outputs(demo)["predict"]


# --- MLflow ---


@pytest.mark.parametrize(("address", "version"), [("host", ""), ("host", "/versions/1"), ("prefix", "@champion")])
def test_mlflows_scoring_client_gets_our_own_answers(
    installation: Installation, demo: Door, address: str, version: str
) -> None:
    where = urlsplit(addresses(installation)[address])
    expected = iris_outputs(demo)["predict"]
    task = {
        "host": "{}:{}@{}".format(*pair(demo), where.hostname), "bare_host": where.hostname,
        "port": f"{where.port}{where.path}/models/iris{version}", "rows": IRIS_ROWS, "columns": IRIS_COLUMNS, "is_matrix": True,
    }  # fmt: skip

    result = driven("mlflow", task)

    assert result.pop("version")[0].isdigit()
    assert "Model is missing inputs ['sepal length (cm)']" in result.pop("without a column")
    assert "error code 401" in (stranger := result.pop("a stranger"))
    assert "UNAUTHENTICATED" in stranger
    assert result == dict.fromkeys(result, expected)
