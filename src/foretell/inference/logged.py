"""What of a prediction its log keeps, by the model's own policy. Every face asks here."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.columns import batch_to_json
from foretell.segments.records import COLUMNS


class Payload(NamedTuple):
    """As `PredictionRecord` has them."""

    inputs: bytes | None
    inputs_type: str
    outputs: bytes | None


NOTHING = Payload(None, "", None)


def logged_payload(
    policy: str, redacted: Collection[str], *, body: bytes, media_type: str, parsed: ParsedRows, answer: bytes
) -> Payload:
    """Return what is written down.

    Security: a value that the policy hides never reaches the disk. Such rows are written anew without it, and the warnings of
    the answer, which quote what was found, are left out.

    Parameters
    ----------
    policy, redacted
        ``full``, ``none`` or ``redacted``, and the names of the inputs that are.
    body, media_type
        What came, where it is one of our own API's bodies; with an empty media type the rows are written as columns.
    answer
        Our own JSON.
    """
    if policy == "full":
        return Payload(body, media_type, answer) if media_type else Payload(_columns(parsed, ()), COLUMNS, answer)
    if policy == "redacted":
        return Payload(_columns(parsed, redacted), COLUMNS, _without_warnings(parsed, answer))
    return NOTHING


def _columns(parsed: ParsedRows, redacted: Collection[str]) -> bytes:
    columns = batch_to_json(parsed.batch)
    for name in redacted:
        if name in columns:
            columns[name] = [None] * parsed.batch.n_rows
    return msgspec.json.encode(columns)


def _without_warnings(parsed: ParsedRows, answer: bytes) -> bytes:
    if not parsed.warnings:
        return answer
    plain = msgspec.json.decode(answer)
    plain.pop("warnings", None)
    return msgspec.json.encode(plain)
