"""Every metric there is, once: its name, what it means, and its labels. docs/metrics.md lists the same."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
MODEL_LABELS = ("tenant", "model", "version")


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its series.

    merge : how the gauges of several processes become one; counters and histograms are always summed.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    merge: Literal["sum", "max"] = "sum"


PREDICTIONS = Family(
    "foretell_predictions_total", "counter", "Predictions that were asked of the lane.", (*MODEL_LABELS, "face", "status")
)  # fmt: skip
ROWS = Family("foretell_prediction_rows_total", "counter", "Rows that were predicted.", MODEL_LABELS)
SECONDS = Family("foretell_prediction_seconds", "histogram", "Whole time of a prediction on the lane.", MODEL_LABELS)
MODEL_SECONDS = Family("foretell_model_seconds", "histogram", "Time to read the rows and run the model.", MODEL_LABELS)
HTTP_REQUESTS = Family(
    "foretell_http_requests_total", "counter", "Answers that are no predictions of the lane.", ("method", "status")
)
THROTTLED = Family("foretell_throttled_total", "counter", "Requests that a limit or a quota refused.", ("policy",))
REFUSED = Family(
    "foretell_refused_total", "counter", "Answers of the web server itself, by code of problem.", ("code",)
)
PROCESSES = Family("foretell_processes", "gauge", "Processes that run.", ("kind",))
IN_FLIGHT = Family("foretell_requests_in_flight", "gauge", "Requests under way, and open WebSockets.")
CONNECTIONS = Family("foretell_connections", "gauge", "Open connections.")
LOOP_LAG = Family(
    "foretell_event_loop_lag_seconds", "gauge", "By how much an event loop was late, at worst, in the last minute.", merge="max"
)  # fmt: skip
WAITING = Family("foretell_scheduler_waiting", "gauge", "Predictions that wait for a thread.")
RUNNING = Family("foretell_scheduler_running", "gauge", "Predictions that run in a thread.")
LOG_LAG_BYTES = Family("foretell_log_lag_bytes", "gauge", "Bytes of the prediction log not drained yet.", merge="max")
LOG_LAG_SECONDS = Family(
    "foretell_log_lag_seconds", "gauge", "Age of the oldest prediction that is not drained yet.", merge="max"
)
LOG_SEGMENTS = Family("foretell_log_segments", "gauge", "Segments of the prediction log on disk.", merge="max")
LOG_GAPS = Family("foretell_log_gaps_total", "counter", "Predictions that were answered without being logged.")
LOG_TROUBLE = Family("foretell_log_trouble", "gauge", "Processes whose prediction log takes no records.")
CATALOGUE_AGE = Family(
    "foretell_catalogue_age_seconds",
    "gauge",
    "Since the lane last knew what the database has; none before it first did.",
    merge="max",
)
CATALOGUE_READS = Family(
    "foretell_catalogue_reads_total", "counter", "Times that what is known of a tenant was read anew."
)
CATALOGUE_TENANTS = Family("foretell_catalogue_tenants", "gauge", "Tenants that the lane knows.", merge="max")
ALIASES_BEHIND = Family(
    "foretell_catalogue_aliases_behind", "gauge", "Aliases whose next version cannot be loaded.", merge="max"
)
MODELS_LOADED = Family("foretell_models_loaded", "gauge", "Versions in memory, summed over processes.")
MODELS_BYTES = Family("foretell_models_loaded_bytes", "gauge", "Estimated memory of the versions in memory.")
MODEL_HITS = Family("foretell_model_hits_total", "counter", "Times that a version was found in memory.")
MODEL_LOADS = Family("foretell_model_loads_total", "counter", "Times that a version had to be loaded.")
MODEL_EVICTIONS = Family("foretell_model_evictions_total", "counter", "Versions let go to make room for others.")
BUILD = Family(
    "foretell_build_info", "gauge", "1, with the version of Foretell and of Python.", ("version", "python"), merge="max"
)

ALL: tuple[Family, ...] = (
    PREDICTIONS, ROWS, SECONDS, MODEL_SECONDS, HTTP_REQUESTS, THROTTLED, REFUSED, PROCESSES, IN_FLIGHT, CONNECTIONS,
    LOOP_LAG, WAITING, RUNNING, LOG_LAG_BYTES, LOG_LAG_SECONDS, LOG_SEGMENTS, LOG_GAPS, LOG_TROUBLE, CATALOGUE_AGE,
    CATALOGUE_READS, CATALOGUE_TENANTS, ALIASES_BEHIND, MODELS_LOADED, MODELS_BYTES, MODEL_HITS, MODEL_LOADS, MODEL_EVICTIONS, BUILD,
)  # fmt: skip
BY_NAME = {family.name: family for family in ALL}
