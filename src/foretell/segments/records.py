"""What the log keeps, as msgpack arrays: a field is only ever added at the end, with a default."""

import msgspec

MAX_PAYLOAD_BYTES = 1 << 20  # of inputs and of outputs; what is larger is left out, and said to be
TOO_LARGE = "too_large"  # as `inputs_type`
COLUMNS = "columns"


class PredictionRecord(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=1):
    """One prediction.

    id : the 16 bytes of its UUIDv7.
    tenant : the tenant's id, as text.
    at_us : microseconds since 1970, UTC.
    face : which protocol it came by: "rest", "form", "oip", "kserve", "mlflow", "websocket", "batch".
    inputs : as `inputs_type` says; None where they are not logged.
    inputs_type : "application/json", the body of our own REST; "text/csv"; "columns", a JSON object with a list for each
        input; "" where the model's policy keeps payloads out, "too_large" where they were beyond a megabyte.
    outputs : our own JSON answer.
    cpu_us : of the processor's time; 0 in records of releases that did not take it.
    """

    id: bytes
    tenant: str
    at_us: int
    model: str
    version: int
    face: str
    user_id: str
    key_id: str | None
    request_id: str
    n_rows: int
    duration_us: int
    n_warnings: int
    inputs: bytes | None
    inputs_type: str
    outputs: bytes | None
    cpu_us: int = 0


class GapRecord(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=2):
    """Predictions that were answered while they could not be logged; times as in `PredictionRecord`."""

    id: bytes
    tenant: str
    first_at_us: int
    last_at_us: int
    n_predictions: int


Record = PredictionRecord | GapRecord
UndecodableRecord = msgspec.MsgspecError

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(PredictionRecord | GapRecord)
encode_plain = _encoder.encode


def encode(record: PredictionRecord) -> bytes:
    inputs, outputs = record.inputs, record.outputs
    if (inputs is not None and len(inputs) > MAX_PAYLOAD_BYTES) or (
        outputs is not None and len(outputs) > MAX_PAYLOAD_BYTES
    ):
        record = bounded(record)
    return _encoder.encode(record)


def decode(payload: bytes | memoryview) -> Record:
    """Read a record.

    Raises
    ------
    UndecodableRecord
        for what is none, or of a kind that this version does not know.
    """
    return _decoder.decode(payload)


def bounded(record: PredictionRecord) -> PredictionRecord:
    """Return the record without what is too large."""
    if record.inputs is not None and len(record.inputs) > MAX_PAYLOAD_BYTES:
        record = msgspec.structs.replace(record, inputs=None, inputs_type=TOO_LARGE)
    if record.outputs is not None and len(record.outputs) > MAX_PAYLOAD_BYTES:
        record = msgspec.structs.replace(record, outputs=None)
    return record
