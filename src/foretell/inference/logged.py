"""What the log keeps of a prediction, by the model's own policy. Every face asks here."""

import time
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from foretell.inference.answering import Prediction
from foretell.inference.codec.parsed import ParsedRows
from foretell.inference.columns import batch_to_json
from foretell.segments.records import COLUMNS, PredictionRecord


class Payload(NamedTuple):
    """As `PredictionRecord` has them."""

    inputs: bytes | None
    inputs_type: str
    outputs: bytes | None


NOTHING = Payload(None, "", None)


class Asked(msgspec.Struct, frozen=True):
    """How a prediction was asked for.

    face : "rest", "form", "oip", …
    body, media_type : what came, where it is one of our own API's bodies; else the rows themselves are logged.
    """

    face: str
    body: bytes = b""
    media_type: str = ""


def record_of(
    prediction: Prediction,
    asked: Asked,
    *,
    tenant: str,
    user_id: str,
    key_id: str | None,
    request_id: str,
    policy: str,
    redacted: Collection[str],
) -> PredictionRecord:
    """Return what is written down of a prediction that is answered now; `policy` and `redacted` as in `logged_payload`."""
    parsed = prediction.parsed
    inputs, inputs_type, outputs = logged_payload(
        policy, redacted, body=asked.body, media_type=asked.media_type, parsed=parsed, answer=prediction.body
    )
    return PredictionRecord(
        id=prediction.id_bytes, tenant=tenant, at_us=time.time_ns() // 1_000, model=prediction.model, version=prediction.version,
        face=asked.face, user_id=user_id, key_id=key_id, request_id=request_id, n_rows=parsed.batch.n_rows,
        duration_us=int(prediction.duration_s * 1e6), n_warnings=len(parsed.warnings),
        inputs=inputs, inputs_type=inputs_type, outputs=outputs,
    )  # fmt: skip


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
