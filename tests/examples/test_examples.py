"""The examples learn what their tutorials promise, and say so through the public face only."""

import ast
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from foretell.inference.conversion import convert
from foretell.publishing.samples import read_sample, table_of

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("iris", "titanic", "addition")


@pytest.fixture(scope="module")
def modules() -> dict[str, dict[str, Any]]:
    return {name: runpy.run_path(str(EXAMPLES / name / "train.py")) for name in NAMES}


@pytest.fixture(scope="module")
def trained(modules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: module["train"]() for name, module in modules.items()}


def test_the_iris_forest_scores_as_in_every_tutorial(trained: dict[str, Any]) -> None:
    assert trained["iris"].metrics == {"cv_accuracy": 0.9667, "test_accuracy": 0.9667}


def test_the_iris_forest_knows_its_flowers(trained: dict[str, Any]) -> None:
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    flowers = pd.DataFrame([[7.9, 2.9, 6.3, 1.8], [7.9, 2.9, 2.0, 1.0]], columns=names)

    assert trained["iris"].model.predict(flowers).tolist() == ["virginica", "setosa"]


def test_the_titanic_pipeline_takes_the_list_as_it_is(trained: dict[str, Any]) -> None:
    columns = ["pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"]
    people = [
        [1, "female", 29, 0, 0, 211.3375, "S"],
        [3, "male", 22, 1, 0, 7.25, "S"],
        [3, "male", None, 0, 0, 7.25, None],
    ]

    assert trained["titanic"].model.predict(pd.DataFrame(people, columns=columns)).tolist() == [
        "survived",
        "died",
        "died",
    ]
    assert trained["titanic"].metrics["cv_accuracy"] == pytest.approx(0.798, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_served_by_an_exact_graph(
    name: str, trained: dict[str, Any], modules: dict[str, dict[str, Any]]
) -> None:
    model, sample, _ = trained[name]

    converted = convert(model, table_of(read_sample(sample)), refinements=modules[name]["REFINEMENTS"])

    assert (converted.runtime, converted.parity.is_exact) == ("onnx", True)


def test_titanic_may_miss_an_age_and_a_port_and_nothing_else(
    trained: dict[str, Any], modules: dict[str, dict[str, Any]]
) -> None:
    signature = convert(*trained["titanic"][:2], refinements=modules["titanic"]["REFINEMENTS"]).signature

    assert [column.name for column in signature.inputs if column.nullable] == ["age", "embarked"]
    assert signature.input("sex").categories == ("female", "male")
    assert signature.input("fare").unit == "£"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_uses_only_what_every_author_has(name: str) -> None:
    tree = ast.parse((EXAMPLES / name / "train.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {module for module in imported | from_ if module.startswith("foretell")} == {"foretell"}
    assert (EXAMPLES / name / "README.md").is_file()
