"""What is in a log's directory, read as the drainer would."""

import os
from pathlib import Path

from foretell.segments.files import segment_paths
from foretell.segments.reading import read_frames
from foretell.segments.records import GapRecord, PredictionRecord, Record, decode


def all_records(directory: Path) -> list[Record]:
    found: list[Record] = []
    for path in segment_paths(directory):
        descriptor, offset = os.open(path, os.O_RDONLY), 0
        while (frames := read_frames(descriptor, offset)).payloads:
            found += map(decode, frames.payloads)
            offset = frames.end
        os.close(descriptor)
    return found


def prediction_ids(directory: Path) -> list[bytes]:
    return [record.id for record in all_records(directory) if isinstance(record, PredictionRecord)]


def gaps(directory: Path) -> dict[str, int]:
    return {record.tenant: record.n_predictions for record in all_records(directory) if isinstance(record, GapRecord)}
