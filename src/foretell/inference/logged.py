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
    cpu_s: float | None = None,
) -> PredictionRecord:
    """Return what is written down of a prediction that is answered now.

    Parameters
    ----------
    policy, redacted
        As in `logged_payload`.
    cpu_s
        The processor's time of the thread that answered. None for a run that waits for nothing: its duration is taken for it.
        Optimization: the processor's clock costs ten times as much to read as the one on the wall.
    """
    parsed = prediction.parsed
    inputs, inputs_type, outputs = logged_payload(
        policy, redacted, body=asked.body, media_type=asked.media_type, parsed=parsed, answer=prediction.body
    )
    duration_us = int(prediction.duration_s * 1e6)
    # Optimization: with more than fifteen names, Python would make a dict of them for the call.
    return PredictionRecord(
        prediction.id_bytes, tenant, time.time_ns() // 1_000, model=prediction.model, version=prediction.version,
        face=asked.face, user_id=user_id, key_id=key_id, request_id=request_id, n_rows=parsed.batch.n_rows,
        duration_us=duration_us, n_warnings=len(parsed.warnings),
        inputs=inputs, inputs_type=inputs_type, outputs=outputs,
        cpu_us=duration_us if cpu_s is None else int((cpu_s + prediction.predictions.worker_s) * 1e6),
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
