"""The drainer beside the worker's jobs: a thread of its own, which a long build does not hold up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from foretell.monitoring.connecting import connect
from foretell.monitoring.draining import LAST_DRAIN_S, Drainer

PATIENCE_S = LAST_DRAIN_S + 1.0


@contextmanager
def draining() -> Iterator[None]:
    """Drain the prediction log for the length of the block, and what is there at its end."""
    stop = threading.Event()
    drainer = Drainer(settings.PREDICTION_LOG_ROOT, connect)
    thread = threading.Thread(target=drainer.run, args=(stop,), name="drainer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
