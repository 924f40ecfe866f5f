"""MLServer's content types: how the texts of a BYTES tensor are to be read."""

import base64
import binascii
from typing import Any

from foretell.inference.codec.strict_json import loads
from foretell.inference.codec.wording import shown
from foretell.inference.errors import InvalidInput
from foretell.inference.tensors.binary import text
from foretell.inference.tensors.datatypes import Datatype, Kind
from foretell.inference.tensors.shapes import wrong

NUMPY, PANDAS, STRING, BASE64, DATETIME, PANDAS_JSON = "np", "pd", "str", "base64", "datetime", "pd_json"
KNOWN = (NUMPY, PANDAS, STRING, BASE64, DATETIME, PANDAS_JSON)
_OF_TEXTS = (STRING, BASE64, DATETIME, PANDAS_JSON)


def check_content_type(value: Any, at: str) -> str:
    """Return a content type that we know; "" where there is none."""
    if value is None or value == "":
        return ""
    if value not in KNOWN:
        detail = f"Found {shown(value)}; expected one of {', '.join(KNOWN)}, or none."
        raise wrong(at, "parameters.content_type", "unknown_content_type", detail)
    return str(value)


def decoded(values: list[Any], datatype: Datatype, content_type: str, at: str) -> list[Any]:
    """Return the values that the texts of a tensor stand for; missing ones stay missing."""
    if content_type in _OF_TEXTS and datatype.kind is not Kind.BYTES:
        detail = f"Found {content_type!r} on {datatype.name}; expected it on BYTES."
        raise wrong(at, "parameters.content_type", "wrong_content_type", detail)
    if content_type == BASE64:
        return [None if value is None else _from_base64(value, at) for value in values]
    if content_type == PANDAS_JSON:
        return [None if value is None else _from_json(value, at) for value in values]
    return values


def _from_base64(value: str, at: str) -> str:
    try:
        return text(base64.b64decode(value, validate=True), at)
    except (binascii.Error, ValueError):
        raise wrong(at, "data", "not_base64", f"Found {shown(value)}; expected base64.") from None


def _from_json(value: str, at: str) -> Any:
    """Return one cell of a data frame's column of objects: a text, a number, true, false or null."""
    try:
        cell = loads(value.encode("utf-8", "surrogatepass"))
    except InvalidInput as error:
        raise wrong(at, "data", "invalid_json", f"Found {shown(value)}; expected one JSON value: {error}") from None
    if isinstance(cell, list | dict):
        raise wrong(at, "data", "invalid_json", f"Found {shown(cell)}; expected a text, a number, true, false or null.")
    return cell
