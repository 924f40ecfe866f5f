"""What of a prediction goes into the log, by the model's own policy."""

import msgspec

from foretell.inference.codec import ParsedRows
from foretell.inference.columns import batch_to_json
from foretell.segments.records import COLUMNS
from foretell.serving.catalogue import Model


class Logged(msgspec.Struct, frozen=True):
    """A call's body as it came.

    media_type : what the body is, where it is one of our own API's; "" where another protocol's rows are logged as columns.
    """

    body: bytes
    media_type: str = ""


def inputs_of(
    model: Model, logged: Logged, parsed: ParsedRows, answer: bytes
) -> tuple[bytes | None, str, bytes | None]:
    """Return inputs, their type and outputs as the log keeps them.

    Security: a value that the model's policy hides never reaches the disk; such rows are written anew without it.
    """
    if model.log_payload == "full":
        if logged.media_type:
            return logged.body, logged.media_type, answer
        return _columns(parsed, hidden=()), COLUMNS, answer
    if model.log_payload == "redacted":
        return _columns(parsed, hidden=model.redacted_inputs), COLUMNS, answer
    return None, "", None


def _columns(parsed: ParsedRows, *, hidden: tuple[str, ...]) -> bytes:
    columns = batch_to_json(parsed.batch)
    for name in hidden:
        if name in columns:
            columns[name] = [None] * parsed.batch.n_rows
    return msgspec.json.encode(columns)
