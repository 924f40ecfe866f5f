"""Predictions as PostgreSQL's binary COPY takes them, and what they add up to.

Optimization: 1 µs for a row, against 6 through the driver's own adaptation; the server parses no text and unescapes no bytes.
"""

import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from foretell.segments.records import PredictionRecord

COLUMNS = (
    "id", "at", "n_rows", "n_warnings", "duration_us", "cpu_us", "request_id",
    "model", "version", "face", "user_id", "key_id", "inputs_type", "inputs", "outputs",
)  # fmt: skip
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
END = struct.pack(">h", -1)
EPOCH_US = 946_684_800_000_000  # 2000-01-01, where PostgreSQL's time begins
YEAR_10000_US = 253_402_300_800_000_000
HOUR_US = 3_600_000_000

_HEAD = struct.Struct(">h i16s iq ii ii iq iq i".replace(" ", ""))  # the columns up to `cpu_us`, the length of the next
_pack_length = struct.Struct(">i").pack

Origin = tuple[str, int, str, str, str | None, str]  # the columns from `model` to `inputs_type`


class Unstorable(ValueError):
    """A record that no row can be made of."""


@dataclass(slots=True)
class Share:
    """What predictions of one origin, within an hour, have in common and add up to.

    columns : of the origin, as each of its rows has them.
    n_bytes : of inputs and outputs.
    """

    columns: bytes
    requests: int = 0
    rows: int = 0
    duration_us: int = 0
    cpu_us: int = 0
    n_bytes: int = 0
    latest_us: int = 0


Hours = dict[int, dict[Origin, Share]]  # by the number of the hour since 1970


class _Lengths(dict[int, bytes]):
    def __missing__(self, length: int) -> bytes:
        return _pack_length(length)


_lengths = _Lengths((length, _pack_length(length)) for length in range(-1, 4_096))  # -1 is NULL's


def packed(records: Iterable[PredictionRecord]) -> tuple[bytes, Hours]:
    """Return all that is sent for a COPY of these records, and what they add up to.

    Optimization: one loop over local names, since it runs for each prediction.

    Raises
    ------
    Unstorable
        names the first that does not fit.
    """
    parts, hours = [SIGNATURE], Hours()
    shares: dict[Origin, Share] = {}
    hour_begins = hour_ends = 0
    for record in records:
        at_us, n_rows, duration_us, cpu_us = record.at_us, record.n_rows, record.duration_us, record.cpu_us
        inputs, outputs, request_id = record.inputs, record.outputs, record.request_id.encode()
        n_inputs, n_outputs = -1 if inputs is None else len(inputs), -1 if outputs is None else len(outputs)
        try:
            if not hour_begins <= at_us < hour_ends:
                hour_begins = _hour_of(at_us) * HOUR_US
                hour_ends, shares = hour_begins + HOUR_US, hours.setdefault(hour_begins // HOUR_US, {})
            origin = (record.model, record.version, record.face, record.user_id, record.key_id, record.inputs_type)
            share = shares.get(origin)
            if share is None:
                share = shares[origin] = Share(_columns(*origin))
            head = _HEAD.pack(
                len(COLUMNS), 16, _checked(record.id), 8, at_us - EPOCH_US, 4, n_rows, 4, record.n_warnings,
                8, duration_us, 8, cpu_us, len(request_id),
            )  # fmt: skip
        except (struct.error, ValueError) as err:
            raise Unstorable(f"the prediction {record.id.hex()} at {at_us} fits no row: {err}") from err
        parts += (
            head, request_id, share.columns, _lengths[n_inputs], inputs or b"", _lengths[n_outputs], outputs or b"",
        )  # fmt: skip
        share.requests += 1
        share.rows += n_rows
        share.duration_us += duration_us
        share.cpu_us += cpu_us
        share.n_bytes += (n_inputs if inputs else 0) + (n_outputs if outputs else 0)
        if at_us > share.latest_us:
            share.latest_us = at_us
    parts.append(END)
    return b"".join(parts), hours


def _checked(identifier: bytes) -> bytes:
    if len(identifier) != 16:
        raise ValueError(f"its id has {len(identifier)} bytes, not 16")
    return identifier


def _hour_of(at_us: int) -> int:
    if not 0 <= at_us < YEAR_10000_US:
        raise ValueError("its time is no date")
    return at_us // HOUR_US


@lru_cache(maxsize=16_384)
def _columns(model: str, version: int, face: str, user_id: str, key_id: str | None, inputs_type: str) -> bytes:
    return b"".join((
        _field(model.encode()), _pack_length(4), _pack_length(version), _field(face.encode()), _field(uuid.UUID(user_id).bytes),
        _field(None if key_id is None else key_id.encode()), _field(inputs_type.encode()),
    ))  # fmt: skip


def _field(value: bytes | None) -> bytes:
    return _pack_length(-1) if value is None else _pack_length(len(value)) + value
