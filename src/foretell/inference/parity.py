"""How far one model's answers are from another's: the measure that decides which runtime may serve a version.

Labels are equal or they are not. Probabilities are compared absolutely. Numbers are compared absolutely too, where
the answers spread over 1 or more; on a smaller scale the tolerance shrinks with it, and on a very large one the last
digits of a float64 are forgiven.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foretell.inference.batch import Array, OutputValues, Predictions
from foretell.inference.errors import ParityFailed

TOLERANCE = 1e-5
_ROUNDING = 1e-9  # relative: sums of float64 in another order


@dataclass(frozen=True, slots=True)
class Parity:
    """What a comparison found.

    rows : rows compared: those of the sample and those made around it.
    labels_differ : rows on which a label is another one.
    largest_difference : of any number or probability, absolute.
    is_exact : no label differs, and no number or probability by more than the tolerance.
    reason : in words, what differs; empty where nothing does.
    """

    rows: int
    labels_differ: int = 0
    largest_difference: float = 0.0
    is_exact: bool = True
    reason: str = ""

    def is_within(self, accepted: float | None) -> bool:
        """Whether the difference is none, or one that the author accepts.

        `accepted` bounds both measures: no number or probability differs by more than it, and no greater share of
        the rows has another label.
        """
        if self.is_exact:
            return True
        if accepted is None or not np.isfinite(self.largest_difference):
            return False
        return self.largest_difference <= accepted and self.labels_differ <= accepted * self.rows

    def to_json(self) -> dict[str, Any]:
        largest = self.largest_difference if np.isfinite(self.largest_difference) else None
        return {
            "rows": self.rows,
            "labels_differ": self.labels_differ,
            "largest_difference": largest,
            "is_exact": self.is_exact,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Parity":
        """Read what `to_json` wrote, checking every value."""
        if not isinstance(data, Mapping) or set(data) != {
            "rows",
            "labels_differ",
            "largest_difference",
            "is_exact",
            "reason",
        }:
            raise ParityFailed("A parity report has rows, labels_differ, largest_difference, is_exact and reason.")
        counts = [data["rows"], data["labels_differ"]]
        largest = float("inf") if data["largest_difference"] is None else data["largest_difference"]
        well_formed = (
            all(type(count) is int and 0 <= count < 2**31 for count in counts) and type(data["is_exact"]) is bool
        )
        if (
            not well_formed
            or type(largest) not in (int, float)
            or not largest >= 0
            or not isinstance(data["reason"], str)
        ):
            raise ParityFailed("A parity report has counts, a difference of at least 0, and a reason in words.")
        return cls(counts[0], counts[1], float(largest), data["is_exact"], data["reason"][:2_000])


def compare(expected: Predictions, actual: Predictions) -> Parity:
    """Measure how far `actual` is from `expected`, over all outputs."""
    if list(expected.outputs) != list(actual.outputs) or expected.n_rows != actual.n_rows:
        raise ParityFailed(
            f"Answers are {list(actual.outputs)} for {actual.n_rows} rows, expected {list(expected.outputs)} for {expected.n_rows}."
        )
    parts = [_compare_output(expected.outputs[name], actual.outputs[name]) for name in expected.outputs]
    found = Parity(
        rows=expected.n_rows,
        labels_differ=int(np.any([part[0] for part in parts], axis=0).sum()) if parts else 0,
        largest_difference=max((part[1] for part in parts), default=0.0),
        is_exact=all(part[2] for part in parts),
    )
    return replace(found, reason=_in_words(found))


def _compare_output(expected: OutputValues, actual: OutputValues) -> tuple[Array, float, bool]:
    """Return which labels differ, the largest difference, and whether all of it is within the tolerance."""
    labels_differ, largest, is_exact = np.zeros(len(expected.values), dtype=bool), 0.0, True
    if expected.values.shape != actual.values.shape:
        raise ParityFailed(f"Answers have shape {actual.values.shape}, expected {expected.values.shape}.")
    if expected.values.dtype.kind == "f":
        largest, is_exact = _compare_numbers(expected.values, actual.values)
    else:
        labels_differ = np.asarray(expected.values != actual.values)
        is_exact = not labels_differ.any()
    if expected.probabilities is not None:
        difference = _compare_probabilities(expected.probabilities, actual.probabilities)
        largest, is_exact = max(largest, difference), is_exact and difference <= TOLERANCE
    return labels_differ, largest, is_exact


def _compare_numbers(expected: Array, actual: Array) -> tuple[float, bool]:
    differences = _differences(expected, np.asarray(actual, dtype=np.float64))
    known = expected[np.isfinite(expected)]
    scale = min(1.0, float(known.max() - known.min())) if len(known) > 1 else 1.0
    # Constant answers have no spread; their own size is the scale.
    scale = scale or min(1.0, float(np.abs(known).max())) or 1.0
    allowed = np.maximum(TOLERANCE * scale, _ROUNDING * np.abs(np.where(np.isfinite(expected), expected, 0.0)))
    return float(differences.max(initial=0.0)), bool((differences <= allowed).all())


def _compare_probabilities(expected: Array, actual: Array | None) -> float:
    if actual is None or actual.shape != expected.shape:
        raise ParityFailed(
            f"Probabilities have shape {None if actual is None else actual.shape}, expected {expected.shape}."
        )
    return float(_differences(expected, actual).max(initial=0.0))


def _differences(expected: Array, actual: Array) -> Array:
    """Return absolute differences; equal infinities and NaNs do not differ, other ones do without bound."""
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.abs(expected - actual)
    same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
    return np.where(same, 0.0, np.where(np.isfinite(differences), differences, np.inf))


def _in_words(found: Parity) -> str:
    if found.is_exact:
        return ""
    words = []
    if found.labels_differ:
        words.append(f"{found.labels_differ:,} of {found.rows:,} rows get another label")
    if found.largest_difference > 0:
        words.append(f"numbers or probabilities differ by up to {found.largest_difference:.3g}")
    return " and ".join(words)
