"""How differences are measured, and what may be accepted."""

from typing import Any

import numpy as np
import pytest

from foretell.inference.batch import OutputValues, Predictions
from foretell.inference.errors import ParityFailed
from foretell.inference.parity import Parity, compare


def labels(*values: str, probabilities: Any = None) -> Predictions:
    shares = None if probabilities is None else np.array(probabilities, dtype=np.float64)
    return Predictions({"prediction": OutputValues(np.array(values, dtype=object), shares)}, len(values))


def numbers(*values: float) -> Predictions:
    return Predictions({"prediction": OutputValues(np.array(values, dtype=np.float64))}, len(values))


def test_equal_answers_are_exact() -> None:
    found = compare(
        labels("a", "b", probabilities=[[1, 0], [0, 1]]), labels("a", "b", probabilities=[[1, 0], [1e-6, 1 - 1e-6]])
    )

    assert found.is_exact
    assert found.reason == ""
    assert found.largest_difference == pytest.approx(1e-6)


def test_one_label_is_enough_to_differ() -> None:
    found = compare(labels("a", "b", "c"), labels("a", "b", "a"))

    assert not found.is_exact
    assert found.labels_differ == 1
    assert "1 of 3 rows" in found.reason


def test_probabilities_are_compared_absolutely() -> None:
    assert not compare(labels("a", probabilities=[[1, 0]]), labels("a", probabilities=[[1 - 2e-5, 2e-5]])).is_exact


@pytest.mark.parametrize(
    ("expected", "actual", "is_exact"),
    [
        ([100.0, 200.0], [100.0, 200.000009], True),
        ([100.0, 200.0], [100.0, 200.00002], False),
        ([1e-6, 2e-6], [1e-6, 2.5e-6], False),  # small answers have a small tolerance
        ([1e12, 2e12], [1e12, 2e12 + 0.001], True),  # the last digits of a float64
        ([1e12, 2e12], [1e12, 2e12 + 100_000], False),
        ([0.0, 0.0], [0.0, 0.0], True),
        ([np.nan, np.inf], [np.nan, np.inf], True),
        ([np.nan, 1.0], [0.0, 1.0], False),
        ([1.0, 2.0], [1.0, np.nan], False),
        ([np.inf, 2.0], [-np.inf, 2.0], False),
    ],
)
def test_numbers_are_compared_on_their_scale(expected: list[float], actual: list[float], is_exact: bool) -> None:
    assert compare(numbers(*expected), numbers(*actual)).is_exact is is_exact


def test_answers_of_another_shape_are_no_answers() -> None:
    with pytest.raises(ParityFailed):
        compare(labels("a", "b"), labels("a"))
    with pytest.raises(ParityFailed):
        compare(labels("a", probabilities=[[1, 0]]), labels("a"))


def test_accepting_bounds_both_the_difference_and_the_share_of_labels() -> None:
    found = Parity(rows=100, labels_differ=5, largest_difference=0.2, is_exact=False)

    assert found.is_within(0.2)
    assert not found.is_within(0.19)
    assert not Parity(rows=100, labels_differ=30, largest_difference=0.2, is_exact=False).is_within(0.2)
    assert not found.is_within(None)


def test_an_endless_difference_is_never_accepted() -> None:
    assert not compare(numbers(1.0, 2.0), numbers(1.0, np.nan)).is_within(1e300)


def test_a_report_travels_as_json() -> None:
    for found in (Parity(rows=10), compare(numbers(1.0, 2.0), numbers(1.0, np.nan)), compare(labels("a"), labels("b"))):
        assert Parity.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": -1},
        {"rows": "3"},
        {"rows": True},
        {"largest_difference": -1.0},
        {"is_exact": 1},
        {"reason": None},
        {"more": 1},
        {"labels_differ": 2**40},
    ],
)
def test_a_report_that_claims_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ParityFailed):
        Parity.from_json({**Parity(rows=10).to_json(), **changes})
