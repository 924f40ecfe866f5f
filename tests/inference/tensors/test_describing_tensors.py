"""What a model answers, and what its metadata says, under the names that clients know."""

from typing import Any

import numpy as np
import pytest

from foretell.inference.batch import OutputValues, Predictions
from foretell.inference.signature import DType, Input, Output, Signature, Task
from foretell.inference.tensors.metadata import input_metadata, output_metadata
from foretell.inference.tensors.outputs import output_tensors
from tests.inference.signatures import PASSENGERS

X = Input(name="x", dtype=DType.FLOAT)


def answering(*outputs: Output) -> Signature:
    return Signature(inputs=(X,), outputs=outputs)


def words(*values: str) -> Any:
    return np.array(values, dtype=object)


SPECIES = Output(name="species", task=Task.MULTICLASS, classes=("a", "b", "c"), probabilities=True)


def test_a_classifier_has_labels_and_probabilities() -> None:
    tensors = output_tensors(answering(SPECIES))
    predictions = Predictions({"species": OutputValues(words("a", "c"), np.array([[1.0, 0, 0], [0, 0.25, 0.75]]))}, 2)

    assert [(tensor.name, tensor.datatype.name) for tensor in tensors] == [
        ("predict", "BYTES"),
        ("predict_proba", "FP64"),
    ]
    assert tensors[0].array(predictions).tolist() == ["a", "c"]
    assert tensors[1].array(predictions).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.25, 0.75]]
    assert tensors[1].classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("output", "datatype"),
    [
        (Output(name="y", task=Task.REGRESSION), "FP64"),
        (Output(name="y", task=Task.BINARY, classes=(0, 1)), "INT64"),
        (Output(name="y", task=Task.BINARY, classes=(False, True)), "BOOL"),
        (Output(name="y", task=Task.BINARY, classes=(0.5, 1.5)), "FP64"),
        (Output(name="y", task=Task.BINARY, classes=("no", "yes")), "BYTES"),
        (Output(name="y", task=Task.CLUSTERING), "INT64"),
    ],
)
def test_labels_have_the_datatype_of_the_classes(output: Output, datatype: str) -> None:
    assert output_metadata(answering(output)) == [{"name": "predict", "datatype": datatype, "shape": [-1]}]


def test_a_transformation_is_one_matrix() -> None:
    outputs = tuple(Output(name=name, task=Task.TRANSFORM) for name in ("u", "v"))
    (tensor,) = output_tensors(answering(*outputs))
    predictions = Predictions({"u": OutputValues(np.array([1.0, 2.0])), "v": OutputValues(np.array([3.0, 4.0]))}, 2)

    assert tensor.name == "transform"
    assert tensor.array(predictions).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert output_metadata(answering(*outputs))[0]["shape"] == [-1, 2]


def test_several_outputs_have_their_names_behind() -> None:
    signature = answering(Output(name="price", task=Task.REGRESSION), SPECIES)

    assert [tensor.name for tensor in output_tensors(signature)] == [
        "predict_price",
        "predict_species",
        "predict_proba_species",
    ]


def test_names_of_several_outputs_stay_distinct() -> None:
    signature = answering(Output(name="proba_species", task=Task.REGRESSION), SPECIES)

    assert [tensor.name for tensor in output_tensors(signature)] == [
        "predict_proba_species",
        "predict_species",
        "predict_proba_species_",
    ]


def test_metadata_name_each_input_with_its_datatype() -> None:
    described = {
        tensor["name"]: (tensor["datatype"], tensor.get("parameters")) for tensor in input_metadata(PASSENGERS)
    }

    assert described == {
        "pclass": ("INT64", None), "sex": ("BYTES", {"content_type": "str"}), "age": ("FP64", None),
        "embarked": ("BYTES", {"content_type": "str"}), "cabin": ("BYTES", {"content_type": "str"}),
        "boarded": ("BYTES", {"content_type": "datetime"}), "alone": ("BOOL", None), "deck": ("INT64", None),
    }  # fmt: skip
