from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foretell.segments.writing import SegmentWriter
from tests.cast import Cast

Drain = Callable[[], int]


@pytest.fixture
def drain(cast: Cast) -> Drain:
    """Drain what this process's faces have logged. What other tests left there is gone before."""
    from django.conf import settings
    from django.db import connection

    from foretell.core.tenancy import as_owner
    from foretell.monitoring.connecting import connect
    from foretell.monitoring.draining import Drainer

    def drained() -> int:
        return Drainer(settings.PREDICTION_LOG_ROOT, connect).drain()

    drained()
    for house in (cast.acme, cast.globex):
        with house.inside(), as_owner(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE monitoring_prediction, monitoring_usagehour, monitoring_loggap")
    return drained


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SegmentWriter]:
    """A writer on a directory of the test's own."""
    opened = SegmentWriter(tmp_path / "log", reserve_bytes=0, sync_every_s=0.01)
    yield opened
    opened.close()
