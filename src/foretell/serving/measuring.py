"""What the lane tells the metrics of each answer: predictions by model and version, everything else by method and status."""

import time

from foretell.metrics import families
from foretell.metrics.instruments import OTHER, Counter, status_label
from foretell.metrics.predictions import PredictionMetrics
from foretell.serving.exchange import Exchange

METHODS = frozenset(("GET", "HEAD", "POST"))


class Measures:
    """Where the lane's answers are counted; without metrics of the process, nobody else sees them."""

    def __init__(self, predictions: PredictionMetrics | None = None, requests: Counter | None = None) -> None:
        self._predictions = PredictionMetrics() if predictions is None else predictions
        self._requests = requests or Counter(families.HTTP_REQUESTS)

    def prediction(self, exchange: Exchange, status: int) -> None:
        """Count a prediction, answered or refused. Security: only tenants, models and versions that exist are labels."""
        tenant, model_ms = exchange.tenant, exchange.model_ms
        entry = self._predictions.entry("" if tenant is None else tenant.name, exchange.model_name, exchange.version)
        seconds = time.perf_counter() - exchange.started
        entry.observe(exchange.face, status, seconds, exchange.n_rows, None if model_ms is None else model_ms / 1e3)

    def request(self, exchange: Exchange, status: int) -> None:
        self._requests.add(exchange.method if exchange.method in METHODS else OTHER, status_label(status))
