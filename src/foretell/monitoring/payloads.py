"""What was asked and answered, in one form whatever it came in."""

from typing import Any, Literal

import msgspec

from foretell.inference.codec.csv_rows import parse_csv
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.columns import batch_to_json
from foretell.monitoring.models import Prediction
from foretell.refusals import NoSuchVersion
from foretell.registry.models import ModelVersion
from foretell.segments.records import COLUMNS, TOO_LARGE

Omitted = Literal["not_logged", "too_large"]
PARSERS = {"application/json": parse_json, "text/csv": parse_csv}


def input_rows(prediction: Prediction) -> list[dict[str, Any]] | None:
    """Return the inputs as an object for each row, by the signature of the version that answered; None where they are not kept."""
    if prediction.inputs is None:
        return None
    columns = _columns(prediction, bytes(prediction.inputs))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def outputs(prediction: Prediction) -> dict[str, Any] | None:
    """Return the answer as it was given."""
    return None if prediction.outputs is None else dict(msgspec.json.decode(bytes(prediction.outputs)))


def inputs_omitted(prediction: Prediction) -> Omitted | None:
    """Return why the inputs are not here; None where they are."""
    if prediction.inputs is not None:
        return None
    return "too_large" if prediction.inputs_type == TOO_LARGE else "not_logged"


def outputs_omitted(prediction: Prediction) -> Omitted | None:
    if prediction.outputs is not None:
        return None
    return "too_large" if prediction.inputs_type else "not_logged"


def _columns(prediction: Prediction, inputs: bytes) -> dict[str, list[Any]]:
    if prediction.inputs_type == COLUMNS:
        return dict(msgspec.json.decode(inputs))
    version = ModelVersion.objects.filter(model__name=prediction.model, number=prediction.version).first()
    if version is None:
        raise NoSuchVersion(prediction.model, prediction.version)
    return batch_to_json(PARSERS[prediction.inputs_type](version.read_signature(), inputs).batch)
