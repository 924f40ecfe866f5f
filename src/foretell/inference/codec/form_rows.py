"""The fields of an HTML form, all of them texts, to one typed row."""

from collections.abc import Mapping

from foretell.inference.codec.column_readers import Values
from foretell.inference.codec.objects import Located, row_reader
from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.codec.texts import typed_values
from foretell.inference.signature import DType, Input, Signature


def parse_form(signature: Signature, fields: Mapping[str, str]) -> ParsedRows:
    """Read one row from a form's fields by the inputs' names.

    An empty field is a missing value. A browser sends nothing at all for a checkbox without its mark, so that an
    absent bool is false, unless it may be missing.

    Raises
    ------
    InvalidInput
        has every fault, at the name of its input.
    """
    reader = row_reader(signature)
    unknown = [name for name in fields if name not in reader.known]
    located: list[Located] = [(0, len(reader.names), name, reader.unknown) for name in unknown]
    columns = [_column(source, fields) for source in signature.inputs]
    return reader.read_columns(columns, located, path="", n_rows=1)


def _column(source: Input, fields: Mapping[str, str]) -> Values:
    if source.name not in fields and source.dtype is DType.BOOL and not source.nullable:
        return [False]
    return typed_values(source, [fields.get(source.name, "")])
