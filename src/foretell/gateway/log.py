"""The durable log, as the lane writes to it: the process's one segment, which Django's views append to as well."""

from foretell.registry.recording import recorder
from foretell.segments.records import PredictionRecord


class PredictionLog:
    """Implements `serving.ports.Log`."""

    def append(self, record: PredictionRecord, *, is_required: bool) -> None:
        """Keep the record; raises LogUnavailable where it cannot be kept and is required."""
        recorder().append(record, is_required=is_required)
