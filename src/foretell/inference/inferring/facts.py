"""What a fitted estimator says about its columns: the categories it learnt, and whether a value may be missing.

A column is followed from the estimator's door through the pipelines, column transformers and unions inside it, up to
the first parts that look at it. Where several look, the strictest decides.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from foretell.inference.inferring.parts import (
    IMPUTERS,
    SCALERS,
    chosen_positions,
    inner_estimators,
    is_opaque,
    missing_verdict,
)
from foretell.inference.signature import MAX_CATEGORIES, Label


class Takes(Enum):
    NUMBERS = "numbers"
    WORDS = "words"
    TEXT = "texts"


class Missing(Enum):
    """Whether a part can answer when a value is missing."""

    YES = "yes"
    NO = "no"
    IF_SEEN = "if the sample has missing values there"


@dataclass(slots=True)
class Facts:
    """What the parts of an estimator say of one column; everything is None or empty where none says anything."""

    takes: Takes | None = None
    categories: tuple[Label, ...] = ()
    closed: bool = False
    missing: set[Missing] = field(default_factory=set)

    def is_nullable(self, *, is_missing_in_sample: bool) -> bool:
        if Missing.NO in self.missing:
            return False
        return self.missing == {Missing.YES} or is_missing_in_sample


@dataclass(frozen=True, slots=True)
class Flow:
    """A column on its way through the estimator."""

    position: int
    is_filled: bool = False  #: behind an imputer: nothing is missing any more


def column_facts(estimator: Any, names: Sequence[str]) -> list[Facts]:
    """Return the facts of each column, in the order in which the estimator takes them."""
    walk = _Walk(names)
    walk.visit(estimator, [Flow(position) for position in range(len(names))])
    return walk.facts


class _Walk:
    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.facts = [Facts() for _ in names]

    def visit(self, part: Any, flows: list[Flow]) -> list[Flow]:
        """Record what `part` says of the columns that flow into it; return those that still are columns behind it."""
        if part is None or isinstance(part, str):
            return flows if part == "passthrough" else []
        if hasattr(part, "steps"):
            for _, step in part.steps:
                flows = self.visit(step or "passthrough", flows)
            return flows
        if hasattr(part, "transformers_"):
            return self._branch(part, flows)
        if hasattr(part, "transformer_list"):
            return [flow for _, inner in part.transformer_list for flow in self.visit(inner, flows)]
        return self._look(part, flows)

    def _branch(self, part: Any, flows: list[Flow]) -> list[Flow]:
        names = list(getattr(part, "feature_names_in_", self.names))
        if len(flows) != getattr(part, "n_features_in_", len(flows)):
            return []  # behind parts that make other columns: positions say nothing about ours
        passed: list[Flow] = []
        for _, inner, columns in part.transformers_:
            chosen = [flows[position] for position in chosen_positions(columns, names)]
            passed += self.visit(inner, chosen)
        return passed

    def _look(self, part: Any, flows: list[Flow]) -> list[Flow]:
        kind = type(part).__name__
        if inners := inner_estimators(part):
            for inner in inners:
                self.visit(inner, flows)
            return []
        if kind == "FunctionTransformer" and part.func is None:
            return flows  # what "passthrough" becomes when it is fitted
        if hasattr(part, "build_analyzer"):
            return self._vectoriser(flows)
        if len(getattr(part, "categories_", ())) == len(flows) > 0:
            return self._encoder(part, flows)
        if kind in IMPUTERS:
            return self._imputer(part, flows)
        return self._other(part, flows)

    def _vectoriser(self, flows: list[Flow]) -> list[Flow]:
        for facts in self._each(flows):
            facts.takes = Takes.TEXT
            facts.missing.add(Missing.NO)
        return []

    def _encoder(self, part: Any, flows: list[Flow]) -> list[Flow]:
        is_closed = getattr(part, "handle_unknown", "ignore") == "error"
        for flow, found in zip(flows, part.categories_, strict=True):
            facts = self.facts[flow.position]
            labels = found.tolist()
            self._learn(facts, [label for label in labels if not is_missing(label)], is_closed=is_closed)
            if not flow.is_filled:
                otherwise = Missing.NO if is_closed else Missing.IF_SEEN
                facts.missing.add(Missing.YES if any(map(is_missing, labels)) else otherwise)
        return []

    def _learn(self, facts: Facts, labels: list[Label], *, is_closed: bool) -> None:
        are_words = any(isinstance(label, str) for label in labels)
        facts.takes = Takes.WORDS if are_words else Takes.NUMBERS
        if 0 < len(labels) <= MAX_CATEGORIES:
            facts.closed = is_closed or facts.closed
            facts.categories = facts.categories or tuple(labels)

    def _imputer(self, part: Any, flows: list[Flow]) -> list[Flow]:
        fills_missing = is_missing(getattr(part, "missing_values", math.nan))
        statistics = list(getattr(part, "statistics_", ()))
        if any(isinstance(value, str) for value in statistics):
            self._take(flows, Takes.WORDS)
        elif statistics and not is_opaque(part):
            self._take(flows, Takes.NUMBERS)
        if not fills_missing:
            return flows
        for flow in flows:
            if not flow.is_filled:
                self.facts[flow.position].missing.add(Missing.YES)
        return [Flow(flow.position, is_filled=True) for flow in flows]

    def _other(self, part: Any, flows: list[Flow]) -> list[Flow]:
        if not is_opaque(part):
            self._take(flows, Takes.NUMBERS)
        if type(part).__name__.startswith("XGB"):
            self._close(flows)
        self._learn_native_categories(part, flows)
        if type(part).__name__ in SCALERS:
            return flows
        verdict = Missing[missing_verdict(part)]
        for flow in flows:
            if not flow.is_filled:
                self.facts[flow.position].missing.add(verdict)
        if hasattr(part, "get_support") and len(support := part.get_support()) == len(flows):
            return [flow for flow, is_kept in zip(flows, support, strict=True) if is_kept]
        return []

    def _learn_native_categories(self, part: Any, flows: list[Flow]) -> None:
        """Read the categories of scikit-learn's histogram gradient boosting, which encodes by itself."""
        mask = getattr(part, "is_categorical_", None)
        encoder = getattr(getattr(part, "_preprocessor", None), "named_transformers_", {}).get("encoder")
        categories = getattr(encoder, "categories_", None)
        if mask is None or categories is None or len(mask) != len(flows):
            return
        chosen = [flow for flow, is_category in zip(flows, mask, strict=True) if is_category]
        for flow, found in zip(chosen, categories, strict=False):
            labels = [label for label in found.tolist() if not is_missing(label)]
            self._learn(self.facts[flow.position], labels, is_closed=False)

    def _close(self, flows: list[Flow]) -> None:
        """XGBoost gives up on a category that it has not seen."""
        for facts in self._each(flows):
            facts.closed = True

    def _take(self, flows: list[Flow], takes: Takes) -> None:
        for facts in self._each(flows):
            facts.takes = facts.takes or takes

    def _each(self, flows: Iterable[Flow]) -> Iterator[Facts]:
        return (self.facts[flow.position] for flow in flows)


def is_missing(value: Any) -> bool:
    """Whether a value is what libraries write for a missing one: None, NaN, pandas' NA."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"
