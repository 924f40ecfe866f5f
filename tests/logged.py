"""Predictions as the log has them, on disk and in the database."""

import uuid
from typing import Any

from foretell.ids import uuid7
from foretell.segments.records import PredictionRecord
from tests.cast import House

AT_US = 1_795_000_000_000_000


def prediction_record(**fields: Any) -> PredictionRecord:
    """Return a record of SumModel's; `fields` are what matters to the test."""
    fields.setdefault("id", uuid7().bytes)
    common = {
        "tenant": str(uuid.UUID(int=1)), "at_us": AT_US, "model": "sum", "version": 1, "face": "rest", "user_id": str(uuid.UUID(int=2)),
        "key_id": None, "request_id": "r-1", "n_rows": 1, "duration_us": 70, "n_warnings": 0, "cpu_us": 50, "inputs": b'{"a": 1, "b": 2}',
        "inputs_type": "application/json", "outputs": b'{"prediction": 3.0}',
    }  # fmt: skip
    return PredictionRecord(**{**common, **fields})


def logged_prediction(house: House, *, by: str, id: str | None = None, **fields: Any) -> Any:
    """Make a row of the log, as if it was drained."""
    from datetime import UTC, datetime

    from foretell.monitoring.models import Prediction

    common = {
        "id": id or uuid7(), "at": datetime.now(UTC), "model": "sum", "version": 1, "face": "rest", "user_id": house.user(by).pk,
        "key_id": house.people[by].key_id, "request_id": "r-1", "n_rows": 1, "duration_us": 70, "n_warnings": 0, "cpu_us": 50,
        "inputs": b'{"a": 1, "b": 2}', "inputs_type": "application/json", "outputs": b'{"prediction": 3.0}',
    }  # fmt: skip
    with house.inside():
        return Prediction.objects.create(**{**common, **fields})
