"""Tensors to typed rows: one tensor for each input, or a single matrix with a column for each, in the signature's order."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from foretell.inference.codec.column_readers import Values
from foretell.inference.codec.derived import Derived
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.codec.wording import place, shown
from foretell.inference.columns import has_numbers
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.named_columns import check_lengths, read_named_columns
from foretell.inference.signature import DType, Input, Signature
from foretell.inference.tensors.contents import PANDAS, PANDAS_JSON
from foretell.inference.tensors.datatypes import Datatype, Kind
from foretell.inference.tensors.tensor import Tensor

PATH = "rows"
_NUMBERS = (Kind.INT, Kind.FLOAT)


def read_tensors(signature: Signature, tensors: Sequence[Tensor], *, content_type: str = "") -> ParsedRows:
    """Return the rows that the tensors are.

    Tensors named after inputs are columns of shape [n] or [n, 1]. A single tensor of any other name is a matrix of shape
    [n, n_inputs]. With the content type ``pd`` all of them are columns.

    Raises
    ------
    InvalidInput
        for what fits neither; every value is held to its input as in our own API.
    """
    known = row_reader(signature).known
    if len(tensors) == 1 and tensors[0].name not in known and content_type != PANDAS:
        columns = _matrix_columns(signature, tensors[0])
    else:
        columns = {tensor.name: _column(tensor) for tensor in tensors}
        _refuse_repeated(tensors)
    n_rows = check_lengths({name: tensor.values for name, tensor in columns.items()}, "inputs")
    values = {name: _fitted(signature, name, tensor) for name, tensor in columns.items()}
    return read_named_columns(signature, values, n_rows=n_rows, path=PATH)


def _refuse_repeated(tensors: Sequence[Tensor]) -> None:
    seen = set()
    for tensor in tensors:
        if tensor.name in seen:
            detail = f"The input {shown(tensor.name)} came more than once; expected it once."
            raise InvalidInput(InputProblem(place(tensor.name), "duplicate_field", detail))
        seen.add(tensor.name)


def _column(tensor: Tensor) -> Tensor:
    if len(tensor.shape) == 1 or (len(tensor.shape) == 2 and tensor.shape[1] == 1):
        return tensor
    detail = (
        f"Found the shape {list(tensor.shape)}; expected [n] or [n, 1] of a single input. "
        "A matrix of all inputs is a single tensor of another name, such as input-0."
    )
    raise InvalidInput(InputProblem(place(tensor.name, "shape"), "invalid_shape", detail))


def _matrix_columns(signature: Signature, tensor: Tensor) -> dict[str, Tensor]:
    width = len(signature.inputs)
    is_column = len(tensor.shape) == 1 and width == 1
    if not is_column and (len(tensor.shape) != 2 or tensor.shape[1] != width):
        detail = (
            f"Found the shape {list(tensor.shape)}; expected [n, {width}], a column for each input in the signature's order, "
            f"or a tensor for each: {', '.join(shown(source.name) for source in signature.inputs[:20])}."
        )
        raise InvalidInput(InputProblem(place(tensor.name, "shape"), "invalid_shape", detail))
    shape = (tensor.shape[0],)
    return {
        source.name: Tensor(source.name, tensor.datatype, shape, tensor.values[position::width], tensor.content_type)
        for position, source in enumerate(signature.inputs)
    }


def _fitted(signature: Signature, name: str, tensor: Tensor) -> Values:
    source = _inputs_by_name(signature).get(name)
    if source is None or tensor.content_type == PANDAS_JSON:
        return tensor.values  # an unknown name is refused with the others; cells of JSON say themselves what they are
    _check_datatype(source, tensor.datatype)
    return settled(source, tensor.values, tensor.datatype) if tensor.datatype.is_narrow else tensor.values


_inputs_by_name = Derived(lambda signature: {source.name: source for source in signature.inputs})


def _check_datatype(source: Input, datatype: Datatype) -> None:
    allowed = kinds_of(source)
    if datatype.kind not in allowed:
        expected = "BYTES" if Kind.BYTES in allowed else "BOOL" if Kind.BOOL in allowed else "an integer or float type"
        detail = f"Found the datatype {datatype.name}; expected {expected}."
        raise InvalidInput(InputProblem(place(source.name, "datatype"), "wrong_datatype", detail))


def kinds_of(source: Input) -> tuple[Kind, ...]:
    """Return the kinds of datatypes that an input takes: a number is never read as a truth, nor a text as a number."""
    if source.dtype in (DType.FLOAT, DType.INT) or has_numbers(source):
        return _NUMBERS
    return (Kind.BOOL,) if source.dtype is DType.BOOL else (Kind.BYTES,)


def settled(source: Input, values: list[Any], datatype: Datatype) -> Values:
    """Return the values, with what is the nearest narrow float of a bound or a category as that bound or category.

    A float32 5.3 arrives as 5.300000190734863: it is not above a limit of 5.3, and it is the category 5.3.
    """
    meant = landmarks(source, datatype)
    if not meant or meant.keys().isdisjoint(values):
        return values
    return [meant.get(value, value) for value in values]


@lru_cache(maxsize=4_096)
def landmarks(source: Input, datatype: Datatype) -> Mapping[Any, float]:
    """Return the narrow floats that stand for a bound or a category, with what they stand for."""
    numbers = [number for number in (*(source.limits or ()), *(source.range or ())) if number is not None]
    if has_numbers(source):
        numbers += [label for label in source.categories if isinstance(label, int | float)]
    narrowed = {datatype.narrowed(number): number for number in numbers}
    return {narrow: number for narrow, number in narrowed.items() if narrow != number}
