"""What is put through its examples before it serves."""

from typing import Any

import pytest

from foretell.inference.artifacts import load_model
from foretell.inference.errors import InvalidSignature, ParityFailed, RunFailed
from foretell.inference.predicting import LoadedModel
from foretell.inference.verifying import verify
from tests.models import sum_graph, sum_signature

GOOD: dict[str, Any] = {"inputs": {"a": [1.0, 3.0], "b": [2.0, 4.0]}, "answers": {"sum": {"values": [3.0, 7.0]}}}
WRONG = {**GOOD, "answers": {"sum": {"values": [3.0, 7.1]}}}


def a_model() -> LoadedModel:
    return load_model(runtime="onnx", artifact=sum_graph(), signature=sum_signature())


def test_a_model_that_answers_its_examples_is_let_in() -> None:
    verify(a_model(), GOOD)


def test_a_model_that_answers_otherwise_is_not_let_in() -> None:
    with pytest.raises(ParityFailed, match="does not answer its 2 examples"):
        verify(a_model(), WRONG)


def test_a_difference_that_the_author_accepted_is_accepted_here_too() -> None:
    verify(a_model(), WRONG, accept_difference=0.2)


def test_a_model_that_gives_up_is_not_let_in() -> None:
    model = a_model()
    model.close()

    with pytest.raises(RunFailed):
        verify(model, GOOD)


def test_examples_of_another_signature_are_refused() -> None:
    with pytest.raises(InvalidSignature):
        verify(a_model(), {"inputs": {"c": [1.0]}, "answers": {"sum": {"values": [1.0]}}})


@pytest.mark.parametrize("examples", [None, {}, {"inputs": {"a": [], "b": []}, "answers": {"sum": {"values": []}}}])
def test_a_version_without_examples_is_taken_as_it_is(examples: Any) -> None:
    verify(a_model(), examples)
