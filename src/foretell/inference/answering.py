"""From a request's rows to the answer in our own words: what every face does, on the lane and through Django, once it is sure who asks what."""

import time
from collections.abc import Callable

import msgspec

from foretell.ids import uuid7_bytes, uuid_text
from foretell.inference.batch import Predictions
from foretell.inference.codec import ParsedRows
from foretell.inference.codec.answers import encoded_answer
from foretell.inference.predicting import LoadedModel, predict
from foretell.inference.signature import Signature

Parse = Callable[[Signature], ParsedRows]


class Prediction(msgspec.Struct, frozen=True):
    """An answer, with what a face needs to put it into its own words.

    id, id_bytes : its UUIDv7, as text and as the log keeps it.
    body : the answer in our own API's JSON, as it is logged.
    duration_s : of parsing and running.
    """

    id: str
    id_bytes: bytes
    model: str
    version: int
    signature: Signature
    parsed: ParsedRows
    predictions: Predictions
    body: bytes
    duration_s: float


def answer(
    loaded: LoadedModel, parse: Parse, *, model: str, version: int, count_rows: Callable[[int], None] | None = None
) -> Prediction:
    """Read rows, ask the model, and write the answer.

    Parameters
    ----------
    count_rows
        Is given the number of rows before the model runs, where there is one; what it raises ends the prediction.

    Raises
    ------
    InvalidInput
        from `parse`.
    RunFailed, SandboxError
        as in `predicting.predict`.
    """
    started, signature = time.perf_counter(), loaded.signature
    parsed = parse(signature)
    if count_rows is not None:
        count_rows(parsed.batch.n_rows)
    predictions = predict(loaded, parsed.batch)
    duration_s = time.perf_counter() - started
    id_bytes = uuid7_bytes()
    text = uuid_text(id_bytes)
    body = encoded_answer(
        signature, predictions, is_single=parsed.is_single, model=model, version=version, id=text, warnings=parsed.warnings
    )  # fmt: skip
    return Prediction(text, id_bytes, model, version, signature, parsed, predictions, body, duration_s)
