"""The bodies of `/invocations`: MLflow's four JSON forms, and CSV, to typed rows; what Parquet is read by is `tables`."""

import re
from typing import Any

from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.parsed import MAX_ROWS, ParsedRows
from foretell.inference.codec.strict_json import decode
from foretell.inference.codec.wording import listed, shown
from foretell.inference.errors import InvalidInput
from foretell.inference.json_tables import (
    MalformedTable,
    malformed,
    read_columns,
    read_instances,
    read_records,
    read_split,
    usual_rows,
)
from foretell.inference.signature import Signature

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
SPLIT, RECORDS, INSTANCES, INPUTS, PARAMS = "dataframe_split", "dataframe_records", "instances", "inputs", "params"
FORMS = (SPLIT, RECORDS, INSTANCES, INPUTS)
_AROUND_ROWS = 2_000
_TEXT_OR_NAN = re.compile(rb'"(?:[^"\\]|\\.)*"|\bNaN\b', re.DOTALL)


def parse_invocation(signature: Signature, body: bytes, media_type: str) -> ParsedRows:
    """Read the rows of a JSON or CSV body.

    Raises
    ------
    MalformedTable
        for a body that has none of the forms.
    InvalidInput
        for rows that do not fit the signature.
    """
    if media_type == CSV:
        return parse_csv(signature, body, drops_unknown=True)
    return usual_rows(signature, body) or parse_document(signature, _decoded(body))


def parse_document(signature: Signature, document: Any) -> ParsedRows:
    """Read the rows of a JSON body; keys that are none of the forms are not looked at, as MLflow has it."""
    form = _form_of(document)
    _check_params(document.get(PARAMS))
    value = document[form]
    if form == SPLIT:
        return read_split(signature, value, path=form)
    if form == RECORDS:
        return read_records(signature, value, path=form)
    if form == INSTANCES:
        return read_instances(signature, value, path=form, drops_unknown=True)
    return read_columns(signature, value, path=form, drops_unknown=True)


def _decoded(body: bytes) -> Any:
    try:
        return decode(_without_nan(body), max_containers=MAX_ROWS + _AROUND_ROWS)
    except InvalidInput as error:
        raise MalformedTable(*error.problems) from None


def _without_nan(body: bytes) -> bytes:
    """Return the body with null for each bare NaN, which is how MLflow's own client writes a missing value of a data frame."""
    if b"NaN" not in body:
        return body
    return _TEXT_OR_NAN.sub(lambda match: b"null" if match[0] == b"NaN" else match[0], body)


def _form_of(document: Any) -> str:
    if not isinstance(document, dict):
        raise malformed("", "not_an_object", f"Found {shown(document)}; {_expected()}.")
    found = [form for form in FORMS if form in document]
    if len(found) != 1:
        raise malformed("", "not_an_object", f"Found the keys {listed(list(document)) or 'none'}; {_expected()}.")
    return found[0]


def _expected() -> str:
    return f"expected an object with exactly one of the input fields {', '.join(FORMS)}"


def _check_params(params: Any) -> None:
    """Refuse parameters that are no object. No model here takes any; those that are not known are ignored, as MLflow has it."""
    if params is not None and not isinstance(params, dict):
        raise malformed(PARAMS, "not_an_object", f"Found {shown(params)}; expected an object of parameters.")
