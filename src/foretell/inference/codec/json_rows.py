"""A JSON body to typed rows: one bare row, or ``{"instances": [row, …]}`` with rows as objects or lists."""

from typing import Any

from foretell.inference.codec.fast_rows import fast_rows
from foretell.inference.codec.objects import row_reader
from foretell.inference.codec.parsed import MAX_ROWS, ParsedRows, most_rows
from foretell.inference.codec.strict_json import decode
from foretell.inference.codec.wording import place, shown
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.signature import Signature

INSTANCES = "instances"
_AROUND_ROWS = 1_000  # lists and objects where none may be, so that their places can be named


def parse_json(signature: Signature, body: bytes, *, max_rows: int = MAX_ROWS) -> ParsedRows:
    """Read the rows of a JSON body.

    A model may have an input that is itself called ``instances``. No input takes a list, so that a list under that key
    always means rows, and any other value the input.

    Raises
    ------
    InvalidInput
        has every fault: its place (``age``, or ``instances.3.age``), what was found and what is allowed.
    """
    max_rows = most_rows(len(signature.inputs), max_rows)
    return fast_rows(signature).read(body, max_rows) or parse_json_strictly(signature, body, max_rows=max_rows)


def parse_json_strictly(signature: Signature, body: bytes, *, max_rows: int = MAX_ROWS) -> ParsedRows:
    """Read the rows by the rules themselves, which alone can say what is wrong. What `parse_json` promises, this defines."""
    value = decode(body, max_containers=max_rows + _AROUND_ROWS)
    if not isinstance(value, dict):
        raise _not_rows(value)
    reader = row_reader(signature)
    if not _has_instances(value, reader.names):
        return reader.read([value], is_single=True)
    _refuse_others(value)
    if not isinstance(value[INSTANCES], list):
        raise InvalidInput(
            InputProblem(INSTANCES, "not_a_list", f"Found {shown(value[INSTANCES])}; expected a list of rows.")
        )
    return reader.read(value[INSTANCES], path=INSTANCES, max_rows=max_rows)


def _has_instances(value: dict[str, Any], names: tuple[str, ...]) -> bool:
    return INSTANCES in value and (isinstance(value[INSTANCES], list) or INSTANCES not in names)


def _refuse_others(value: dict[str, Any]) -> None:
    """Beside `instances` stands nothing: an input there would belong to no row."""
    others = [key for key in value if key != INSTANCES]
    if others:
        detail = "Found beside instances; expected nothing else, or one row without instances."
        raise InvalidInput(*(InputProblem(place(key), "unknown_field", detail) for key in others[:20]))


def _not_rows(value: Any) -> InvalidInput:
    hint = ' Put rows into {"instances": [ … ]}.' if isinstance(value, list) else ""
    return InvalidInput(InputProblem("", "not_an_object", f"Found {shown(value)}; expected an object.{hint}"))
