"""What the metrics of a process are read from; each is there already, and is only asked for."""

import platform
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cache

from django.conf import settings

import foretell
from foretell.gateway.lane import Gateway
from foretell.limits import refused
from foretell.metrics import families
from foretell.metrics.instruments import Labels
from foretell.metrics.process import ProcessMetrics
from foretell.registry.recording import recorder
from foretell.registry.serving import loaded_models
from foretell.segments.lag import Lag, drain_lag
from foretell.serving.scheduling import Scheduler
from foretell.webserver.overload import Load, load

LOOKS = 60  # one a second


class RecentLag:
    """The worst lag of the last minute: what is scraped every 15 s, by two, still shows a stall to both."""

    def __init__(self, load: Load) -> None:
        self._load, self._worst = load, deque[float](maxlen=LOOKS)

    def __call__(self) -> float:
        self._worst.append(self._load.take_worst_lag_s())
        return max(self._worst)


def of_web(gateway: Gateway, scheduler: Scheduler) -> ProcessMetrics:
    """Return the metrics of a web process."""
    metrics = _of_any("web")
    _add_load(metrics, scheduler)
    _add_log(metrics)
    _add_catalogue(metrics, gateway)
    _add_models(metrics)
    gateway.when_gone(lambda tenant: metrics.forget_tenant(tenant.name))
    return metrics


@cache
def of_worker() -> ProcessMetrics:
    """Return the metrics of the worker: that it is there."""
    return _of_any("worker")


def _of_any(kind: str) -> ProcessMetrics:
    metrics = ProcessMetrics(settings.METRICS_ROOT)
    metrics.add(families.PROCESSES, lambda: [((kind,), 1)])
    build = (foretell.__version__, platform.python_version())
    metrics.add(families.BUILD, lambda: [(build, 1)])
    return metrics


def _add_load(metrics: ProcessMetrics, scheduler: Scheduler) -> None:
    metrics.add(families.IN_FLIGHT, lambda: load.requests)
    metrics.add(families.CONNECTIONS, lambda: load.connections)
    metrics.add(families.LOOP_LAG, RecentLag(load))
    metrics.add(families.REFUSED, lambda: _labelled(load.refused.copy()))
    metrics.add(families.THROTTLED, lambda: _labelled(refused.counts()))
    metrics.add(families.WAITING, lambda: scheduler.n_waiting)
    metrics.add(families.RUNNING, lambda: scheduler.n_running)


def _labelled(counts: Mapping[str, int]) -> Iterable[tuple[Labels, float]]:
    return [((label,), count) for label, count in counts.items()]


def _add_log(metrics: ProcessMetrics) -> None:
    metrics.add(families.LOG_GAPS, lambda: recorder().n_unlogged)
    metrics.add(families.LOG_TROUBLE, lambda: recorder().trouble is not None)
    metrics.add_of_installation(families.LOG_LAG_BYTES, lambda: _lag().n_bytes)
    metrics.add_of_installation(families.LOG_LAG_SECONDS, lambda: _lag().age_s)
    metrics.add_of_installation(families.LOG_SEGMENTS, lambda: _lag().n_segments)


def _lag() -> Lag:
    return drain_lag(settings.PREDICTION_LOG_ROOT)


def _add_catalogue(metrics: ProcessMetrics, gateway: Gateway) -> None:
    def age() -> Iterable[tuple[Labels, float]]:
        age_s = gateway.catalogue.age_s
        return [] if age_s is None else [((), age_s)]

    metrics.add(families.CATALOGUE_AGE, age)
    metrics.add(families.CATALOGUE_READS, lambda: gateway.catalogue.n_learned)
    metrics.add(families.CATALOGUE_TENANTS, lambda: len(gateway.catalogue))
    metrics.add(families.ALIASES_BEHIND, lambda: gateway.n_aliases_behind)


def _add_models(metrics: ProcessMetrics) -> None:
    metrics.add(families.MODELS_LOADED, lambda: len(loaded_models))
    metrics.add(families.MODELS_BYTES, lambda: loaded_models.n_bytes)
    metrics.add(families.MODEL_HITS, lambda: loaded_models.n_hits)
    metrics.add(families.MODEL_LOADS, lambda: loaded_models.n_loads)
    metrics.add(families.MODEL_EVICTIONS, lambda: loaded_models.n_evictions)
