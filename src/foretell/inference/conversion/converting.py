"""From what the author hands over to a ConvertedModel: the signature, the best graph, and the word of parity."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from foretell.inference.batch import Batch, Predictions
from foretell.inference.conversion.csv_samples import csv_table, readings
from foretell.inference.conversion.estimators import as_estimator, name_of
from foretell.inference.conversion.graphs import candidates
from foretell.inference.conversion.libraries import versions_of
from foretell.inference.conversion.neighbours import concatenated, joined, made_up, neighbours
from foretell.inference.conversion.preparing import parts
from foretell.inference.conversion.samples import sample_batch
from foretell.inference.converted import ConvertedModel
from foretell.inference.errors import ArtifactError, InferenceError, RunFailed, SampleMismatch
from foretell.inference.examples import MAX_EXAMPLES, Examples
from foretell.inference.graph_checks import check_graph
from foretell.inference.parity import Parity, compare
from foretell.inference.refining import refine
from foretell.inference.runtimes.estimator import EstimatorRuntime
from foretell.inference.runtimes.onnx import OnnxRuntime
from foretell.inference.signature import Signature
from foretell.inference.signature_inference import infer_signature


def convert(
    handed_over: Any,
    sample: Any = None,
    *,
    target: str | None = None,
    refinements: dict[str, Any] | None = None,
    accept_difference: float | None = None,
) -> ConvertedModel:
    """Convert a fitted estimator, where a graph answers as it does.

    Parameters
    ----------
    handed_over
        A fitted estimator or pipeline, a list of fitted steps in the order in which rows go through them, or the
        bytes of an ONNX graph.
    sample : pandas.DataFrame or bytes, optional
        Rows as the estimator takes them, at best those it was fitted on; may hold the target column. Bytes are CSV, whose
        cells are read as the estimator learnt them.
    target
        Name of the target column in `sample`; it is dropped.
    refinements
        What the author says about inputs and outputs beyond what can be inferred; see `refine`.
    accept_difference : float, optional
        Serve the graph although it is not exact, when no number or probability differs by more than this and no
        greater share of the rows gets another label.

    Raises
    ------
    ArtifactError
        NotFitted, UnsupportedModel or SampleMismatch: what was found, what was expected, and the way out.
    InvalidSignature
        when the refinements contradict the model.
    """
    if isinstance(handed_over, (bytes, bytearray)):
        from foretell.inference.conversion.bare_graphs import convert_graph

        table = csv_table(sample) if isinstance(sample, bytes) else sample
        return convert_graph(bytes(handed_over), table, target=target, refinements=refinements)
    estimator = as_estimator(handed_over)

    def convert_with(table: Any) -> ConvertedModel:
        signature = infer_signature(estimator, table, target=target)
        if refinements:
            signature = refine(signature, refinements)
        return _convert_estimator(estimator, signature, table, accept_difference)

    if not isinstance(sample, bytes):
        return convert_with(sample)
    return _first_that_fits(convert_with, readings(sample, estimator, target))


def _first_that_fits(convert_with: Callable[[Any], ConvertedModel], tables: Iterable[Any]) -> ConvertedModel:
    """Return what the first reading of the sample makes that the estimator answers; else say what is wrong with the first."""
    failures = []
    for table in tables:
        try:
            return convert_with(table)
        except SampleMismatch as error:
            failures.append(error)
    raise failures[0]


def _convert_estimator(estimator: Any, signature: Signature, sample: Any, accept: float | None) -> ConvertedModel:
    rows = made_up(signature) if sample is None else sample_batch(signature, sample)
    if not rows.n_rows:
        raise SampleMismatch(
            "No row of the sample can be used: each has a missing or infinite value where none may be."
        )
    reference = EstimatorRuntime(estimator, signature)
    compared, expected = _asked(reference, signature, rows)
    graph, parity, refusal = _best_graph(estimator, signature, compared, expected)
    is_graph_served = graph is not None and parity.is_within(accept)
    return ConvertedModel(
        runtime="onnx" if is_graph_served else "python",
        graph=graph if is_graph_served else None,
        signature=signature,
        parity=parity,
        examples=_examples(rows, expected),
        libraries=versions_of(estimator),
        reason=_reason(name_of(estimator), parity, accept, refusal),
    )


def _asked(reference: EstimatorRuntime, signature: Signature, rows: Batch) -> tuple[Batch, Predictions]:
    """Return the rows to compare on, the sample's first, and the author's own answers to them."""
    try:
        asked = [(rows, reference.run(rows))]
    except RunFailed as error:
        raise SampleMismatch(f"The estimator cannot answer the sample's rows. {error.message}") from None
    for batch in neighbours(signature, rows):
        # Rows beside the sample may be none that the estimator takes; those are nothing to compare.
        with contextlib.suppress(RunFailed):
            asked.append((batch, reference.run(batch)))
    return concatenated([batch for batch, _ in asked]), joined([answers for _, answers in asked])


def _best_graph(
    estimator: Any, signature: Signature, rows: Batch, expected: Predictions
) -> tuple[bytes | None, Parity, str]:
    """Return the first exact graph, or else the nearest one, and why there is none where there is none."""
    best: tuple[bytes | None, Parity] = (None, Parity(rows=rows.n_rows, is_exact=False))
    refusal = ""
    for candidate in candidates(estimator, signature):
        try:
            if isinstance(candidate, ArtifactError):
                raise candidate
            parity = _with_doubt(_measured(candidate, signature, rows, expected), estimator)
        except InferenceError as error:
            refusal = refusal or error.message
            continue
        if best[0] is None or _rank(parity) < _rank(best[1]):
            best = (candidate, parity)
        if parity.is_exact:
            break
    return *best, refusal


def _with_doubt(parity: Parity, estimator: Any) -> Parity:
    """Take back exactness where equality on the rows compared says little about other rows.

    Which of several equally near neighbours counts depends on the order in which a library searches; on data with few
    decimals such ties are common.
    """
    if not any(type(part).__name__ in _BY_NEIGHBOURS for part in parts(estimator)):
        return parity
    doubt = "equally near neighbours may count in another order"
    return replace(parity, is_exact=False, reason=f"{parity.reason}, and {doubt}" if parity.reason else doubt)


_BY_NEIGHBOURS = {"KNeighborsClassifier", "KNeighborsRegressor", "KNNImputer"}


def _rank(parity: Parity) -> tuple[bool, int, float]:
    return (not parity.is_exact, parity.labels_differ, parity.largest_difference)


def _measured(graph: bytes, signature: Signature, rows: Batch, expected: Predictions) -> Parity:
    check_graph(graph)
    with np.errstate(all="ignore"):
        return compare(expected, OnnxRuntime(graph, signature).run(rows))


def _examples(rows: Batch, expected: Predictions) -> Examples:
    """Spread the stored examples evenly over the sample, which stands first among the compared rows."""
    chosen = (
        np.unique(np.linspace(0, rows.n_rows - 1, min(MAX_EXAMPLES, rows.n_rows)).astype(int))
        if rows.n_rows
        else np.empty(0, int)
    )
    return Examples(rows.take(chosen), expected.take(chosen))


def _reason(name: str, parity: Parity, accept: float | None, refusal: str) -> str:
    if parity.is_exact:
        return f"The ONNX graph answers as the estimator does on all {parity.rows:,} rows compared."
    if not parity.reason:
        return f"{name} runs as it is, in a locked worker: {refusal.rstrip('.')}."
    if parity.is_within(accept):
        return f"The ONNX graph is served although {parity.reason} ({parity.rows:,} rows compared): the author accepts a difference of {accept:g}."
    bound = max(parity.largest_difference, parity.labels_differ / max(parity.rows, 1))
    way_out = (
        f" To be served by the faster graph all the same, push with accept_difference={_rounded_up(bound)}."
        if np.isfinite(bound)
        else ""
    )
    return f"{name} runs as it is, in a locked worker: in its ONNX graph {parity.reason} ({parity.rows:,} rows compared).{way_out}"


def _rounded_up(bound: float) -> str:
    digits = 10.0 ** np.floor(np.log10(bound)) if bound > 0 else 1.0
    return f"{np.ceil(bound / digits) * digits:g}"
