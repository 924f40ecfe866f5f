"""From a fitted estimator to ONNX graphs, by way of skl2onnx, with its noise and its megabytes of error text kept in.

There is no one best graph: some operators exist in float64 or in float32 only, and integers may have to enter as such.
So `candidates` yields several, lazily, likely ones first; parity decides.
"""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from foretell.errors import shortened
from foretell.inference.columns import has_numbers
from foretell.inference.conversion.preparing import parts, prepared, selects_by_name
from foretell.inference.conversion.registering import register_converters
from foretell.inference.errors import UnsupportedModel
from foretell.inference.signature import DType, Input, Signature

TARGET_OPSET = {"": 18, "ai.onnx.ml": 3}
GRAPH_NAME = "model"  # the converter's default is random, and the same model would be other bytes each time
_FEW_CLASSES = 3
_TREES_OPSET = 5  # of ai.onnx.ml, where trees in float64 exist


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to lay out and type a graph's inputs."""

    is_double: bool
    whole_numbers: bool = False  #: integer columns enter as int64, and not as floats


def candidates(estimator: Any, signature: Signature) -> Iterator[bytes | UnsupportedModel]:
    """Yield serialised graphs of `estimator`, or why there is none of a kind, in the order in which to try them."""
    if any(column.dtype is DType.DATETIME for column in signature.inputs):
        yield UnsupportedModel("ONNX has no dates")
        return
    register_converters()
    ready = prepared(estimator)
    for variant in _variants(ready, signature):
        try:
            yield _converted(ready, signature, variant)
        except UnsupportedModel as reason:
            yield reason


def _variants(estimator: Any, signature: Signature) -> list[Variant]:
    """Order the ways: float64 is as fast for one row, and right beyond the sample too.

    Only bare forests with many classes begin with float32, in which they compare anyway: a leaf of a float64 tree has
    one class, so that each class needs trees of its own.
    """
    is_wide_forest = type(estimator).__name__ in _FORESTS and len(signature.outputs[0].classes) > _FEW_CLASSES
    order = [Variant(is_double=not is_wide_forest), Variant(is_double=is_wide_forest)]
    if any(_is_whole(column) for column in signature.inputs):
        order += [Variant(variant.is_double, whole_numbers=True) for variant in order]
    return order


_FORESTS = {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}


def _converted(estimator: Any, signature: Signature, variant: Variant) -> bytes:
    from skl2onnx import convert_sklearn

    from foretell.inference.conversion.zipmaps import without_zipmaps

    types = _initial_types(estimator, signature, variant)
    try:
        with _quiet():
            model = convert_sklearn(
                estimator,
                name=GRAPH_NAME,
                initial_types=types,
                target_opset=TARGET_OPSET,
                options=_options(estimator),
            )
            without_zipmaps(model, is_double=variant.is_double)
            _declare_opsets(model)
            graph: bytes = model.SerializeToString()
    except Exception as error:  # noqa: BLE001 - converters raise anything, KeyError and AssertionError included
        raise UnsupportedModel(_reason(error)) from None
    return graph


def _declare_opsets(model: Any) -> None:
    """Raise the declared opset where our own trees are in the graph, and declare in one order: the converter's is a set's."""
    if any(node.op_type == "TreeEnsemble" for node in model.graph.node):
        for opset in model.opset_import:
            if opset.domain == "ai.onnx.ml":
                opset.version = _TREES_OPSET
    model.opset_import.sort(key=lambda opset: opset.domain)


def _initial_types(estimator: Any, signature: Signature, variant: Variant) -> list[tuple[str, Any]]:
    from skl2onnx.common import data_types as types

    number = types.DoubleTensorType if variant.is_double else types.FloatTensorType
    kinds = {_kind(column, variant) for column in signature.inputs}
    width = len(signature.inputs)
    if len(kinds) == 1 and not selects_by_name(estimator):
        whole = {"number": number, "string": types.StringTensorType, "whole": types.Int64TensorType}
        return [("inputs", whole[kinds.pop()]([None, width]))]
    single = {"number": number, "string": types.StringTensorType, "whole": types.Int64TensorType}
    return [(column.name, single[_kind(column, variant)]([None, 1])) for column in signature.inputs]


def _kind(column: Input, variant: Variant) -> str:
    if column.dtype is DType.STRING or (column.dtype is DType.CATEGORY and not has_numbers(column)):
        return "string"
    return "whole" if _is_whole(column) and variant.whole_numbers and not column.nullable else "number"


def _is_whole(column: Input) -> bool:
    if column.dtype is DType.CATEGORY:
        return bool(column.categories) and all(type(label) is int for label in column.categories)
    return column.dtype is DType.INT


def _options(estimator: Any) -> dict[int, dict[str, Any]]:
    """Measure distances by one operator: the converters' default is a loop, which no served graph may have."""
    options: dict[int, dict[str, Any]] = {}
    for part in parts(estimator):
        if type(part).__name__ in _DISTANCE_KINDS:
            options[id(part)] = {"optim": "cdist"}
        elif type(part).__name__ == "LinearSVC":
            options[id(part)] = {"raw_scores": False}  # without options it is asked for a ZipMap that it does not know
    return options


_DISTANCE_KINDS = {
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "GaussianProcessRegressor",
    "GaussianProcessClassifier",
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)


def _reason(error: Exception) -> str:
    """Say in a few words why a converter refused: its own texts list every operator it knows."""
    text = str(error)
    unknown = re.search(r"for type '?<class '([^']+)'>", text)
    if unknown:
        return f"there is no converter for {unknown.group(1).rpartition('.')[2]}"
    if "at most 1 input(s)" in text:
        return "there is no converter for it with numbers and words in one table"
    return f"the converter refused it ({type(error).__name__}: {shortened(' '.join(text.split()), 200)})"
