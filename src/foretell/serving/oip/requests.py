"""An inference request: JSON, or JSON with binary tensors behind it, to tensors and what is wanted of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foretell.inference.codec.parsed import MAX_ROWS
from foretell.inference.codec.strict_json import decode
from foretell.inference.codec.wording import place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature import MAX_INPUTS, Signature
from foretell.inference.signature_checks import is_clean_text
from foretell.inference.tensors import Tensor
from foretell.inference.tensors.binary import text, unpacked
from foretell.inference.tensors.contents import check_content_type, decoded
from foretell.inference.tensors.datatypes import BYTES, DATATYPES
from foretell.inference.tensors.elements import check_elements
from foretell.inference.tensors.metadata import input_datatype
from foretell.inference.tensors.outputs import OutputTensor, output_tensors
from foretell.inference.tensors.shapes import flattened, read_shape, resolved, wrong

MAX_ID_CHARS = 1_000
_AROUND_ROWS = 10_000  # lists and objects of a request beside the rows of nested data
_INPUT_KEYS = frozenset({"name", "shape", "datatype", "parameters", "data"})
_SHARED_MEMORY = "shared_memory_region"


@dataclass(frozen=True, slots=True)
class WantedOutput:
    tensor: OutputTensor
    is_binary: bool


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What a client asks.

    id : the client's own, to be given back; None: it has none.
    content_type : of the request as a whole, in MLServer's words.
    """

    id: str | None
    tensors: tuple[Tensor, ...]
    content_type: str
    outputs: tuple[WantedOutput, ...]


def read_request(signature: Signature, body: bytes, header_length: str | None) -> InferRequest:
    """Read a body, parted where the header `Inference-Header-Content-Length` says that its JSON ends.

    Raises
    ------
    InvalidInput
        names the place, what was found and what is allowed.
    """
    size = _json_size(header_length, len(body))
    if size == 0:
        return _raw_request(signature, body)
    document = _object(decode(body[:size], max_containers=MAX_ROWS + _AROUND_ROWS), "")
    parameters = _parameters(document, "")
    tail = None if header_length is None else _Tail(memoryview(body)[size:])
    content_type = check_content_type(parameters.get("content_type"), "")
    tensors = tuple(_tensor(item, f"inputs.{at}", content_type, tail) for at, item in enumerate(_inputs(document)))
    if tail is not None:
        tail.require_end()
    return InferRequest(_id(document), tensors, content_type, _outputs(signature, document, parameters))


def _json_size(header_length: str | None, total: int) -> int:
    if header_length is None:
        return total or 1  # an empty body is no raw tensor: decode() says that it is empty
    name = "Inference-Header-Content-Length"
    if not (header_length.isascii() and header_length.isdigit() and len(header_length) <= 18):
        raise wrong("", "", "bad_header", f"Unable to parse {name}, got: {shown(header_length)}")
    if int(header_length) > total:
        raise wrong(
            "", "", "bad_header", f"{name}: inference header size should be in range (0, {total}), got: {header_length}"
        )
    return int(header_length)


def _raw_request(signature: Signature, body: bytes) -> InferRequest:
    """Read a body that is nothing but the bytes of the one input that the model has."""
    if len(signature.inputs) != 1:
        detail = (
            f"The body is one raw tensor, but the model has {len(signature.inputs)} inputs; send them as a request."
        )
        raise wrong("", "", "raw_not_possible", detail)
    source = signature.inputs[0]
    datatype = input_datatype(source)
    values = [text(body, source.name)] if datatype is BYTES else unpacked(memoryview(body), datatype, source.name)
    tensor = Tensor(source.name, datatype, (len(values),), values)
    return InferRequest(None, (tensor,), "", tuple(WantedOutput(output, False) for output in output_tensors(signature)))


class _Tail:
    """The bytes behind the JSON, which the binary tensors take from in their order."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._position = data, 0

    def take(self, size: Any, at: str) -> memoryview:
        left = len(self._data) - self._position
        if type(size) is not int or not 0 <= size <= left:
            detail = (
                f"Found {shown(size)}; expected an integer from 0 to {left:,}, the bytes that are left behind the JSON."
            )
            raise wrong(at, "parameters.binary_data_size", "bad_binary_size", detail)
        start, self._position = self._position, self._position + size
        return self._data[start : self._position]

    def require_end(self) -> None:
        left = len(self._data) - self._position
        if left:
            raise wrong(
                "", "", "bad_binary_size", f"Found {left:,} bytes behind the last binary tensor; expected none."
            )


def _tensor(item: Any, at: str, request_type: str, tail: _Tail | None) -> Tensor:
    fields = _object(item, at)
    for key in fields.keys() - _INPUT_KEYS:
        raise wrong(at, key, "unknown_field", f"This is not known; expected {', '.join(sorted(_INPUT_KEYS))}.")
    parameters = _parameters(fields, at)
    datatype = DATATYPES.get(_text(fields, "datatype", at))
    if datatype is None:
        raise wrong(
            at,
            "datatype",
            "unknown_datatype",
            f"Found {shown(fields['datatype'])}; expected one of {', '.join(DATATYPES)}.",
        )
    name, shape = _text(fields, "name", at), read_shape(fields.get("shape"), at)
    own_type = check_content_type(parameters.get("content_type"), at)
    if (size := parameters.get("binary_data_size")) is not None:
        values = unpacked(_binary(fields, size, at, tail), datatype, at)
    else:
        values = flattened(fields.get("data"), shape, at)
        check_elements(values, datatype, at)
    shape = resolved(shape, len(values), at)
    # The request's type holds where an input has none: for texts only, since it says nothing of numbers.
    content_type = own_type or (request_type if datatype is BYTES else "")
    return Tensor(name, datatype, shape, decoded(values, datatype, content_type, at), content_type)


def _binary(fields: Mapping[str, Any], size: Any, at: str, tail: _Tail | None) -> memoryview:
    if tail is None:
        detail = (
            "Found binary_data_size without the header Inference-Header-Content-Length, which says where the JSON ends."
        )
        raise wrong(at, "parameters.binary_data_size", "bad_binary_size", detail)
    if fields.get("data") is not None:
        raise wrong(at, "data", "unknown_field", "Found data beside binary_data_size; expected one of them.")
    return tail.take(size, at)


def _outputs(
    signature: Signature, document: Mapping[str, Any], parameters: Mapping[str, Any]
) -> tuple[WantedOutput, ...]:
    default = _flag(parameters, "binary_data_output", "")
    known = {tensor.name: tensor for tensor in output_tensors(signature)}
    listed = document.get("outputs")
    if listed is None or listed == []:
        return tuple(WantedOutput(tensor, bool(default)) for tensor in known.values())
    if not isinstance(listed, list) or len(listed) > len(known):
        raise wrong("", "outputs", "not_a_list", f"Expected a list of at most {len(known)} outputs.")
    return tuple(_output(item, f"outputs.{at}", known, bool(default)) for at, item in enumerate(listed))


def _output(item: Any, at: str, known: dict[str, OutputTensor], default: bool) -> WantedOutput:
    fields = _object(item, at)
    parameters = _parameters(fields, at)
    name = _text(fields, "name", at)
    tensor = known.pop(name, None)  # a name that comes twice is not known the second time
    if tensor is None:
        expected = ", ".join(known) or "no more"
        raise wrong(at, "name", "unknown_output", f"Found {shown(name)}; the model has {expected}.")
    if parameters.get("classification"):
        raise wrong(
            at, "parameters.classification", "not_supported", "Expected none: ask for predict or predict_proba."
        )
    is_binary = _flag(parameters, "binary_data", at)
    return WantedOutput(tensor, default if is_binary is None else is_binary)


def _inputs(document: Mapping[str, Any]) -> list[Any]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= MAX_INPUTS:
        found = f"a list of {len(inputs):,}" if isinstance(inputs, list) else shown(inputs)
        raise wrong("", "inputs", "not_a_list", f"Found {found}; expected a list of 1 to {MAX_INPUTS:,} tensors.")
    return inputs


def _id(document: Mapping[str, Any]) -> str | None:
    identifier = document.get("id")
    if identifier is None or identifier == "":
        return None
    if not isinstance(identifier, str) or len(identifier) > MAX_ID_CHARS or not is_clean_text(identifier):
        raise wrong(
            "",
            "id",
            "invalid_text",
            f"Found {shown(identifier)}; expected a text of at most {MAX_ID_CHARS:,} characters.",
        )
    return identifier


def _parameters(fields: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """Return the parameters; those that are not known are for others, and ignored, as the protocol has it."""
    parameters = fields.get("parameters")
    found = {} if parameters is None else _object(parameters, place(at, "parameters"))
    if _SHARED_MEMORY in found:
        detail = "Shared memory is not taken; send the tensor in the body."
        raise wrong(at, f"parameters.{_SHARED_MEMORY}", "not_supported", detail)
    return found


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(InputProblem(at, "not_an_object", f"Found {shown(value)}; expected an object."))
    return value


def _text(fields: Mapping[str, Any], key: str, at: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise wrong(at, key, "not_a_string", f"Found {shown(value)}; expected a text.")
    return value


def _flag(parameters: Mapping[str, Any], key: str, at: str) -> bool | None:
    value = parameters.get(key)
    if value is not None and not isinstance(value, bool):
        raise wrong(at, f"parameters.{key}", "not_a_boolean", f"Found {shown(value)}; expected true or false.")
    return value
