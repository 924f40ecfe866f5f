"""The log as CSV, streamed: memory stays as it is, however long the log."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from foretell.core.tenancy import current_tenant, use_tenant
from foretell.monitoring.models import Prediction, PredictionQuerySet
from foretell.monitoring.serializers import usernames

PART = 2_000
HEADER = ("id", "at", "model", "version", "face", "user", "key", "request_id", "n_rows", "duration_ms", "n_warnings")


class CSVRenderer(BaseRenderer):
    """Names the format; what is rendered by it are errors alone."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()


def csv_response(predictions: PredictionQuerySet) -> StreamingHttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="predictions.csv"'}
    return StreamingHttpResponse(
        _streamed(predictions, current_tenant()), content_type="text/csv; charset=utf-8", headers=headers
    )


async def _streamed(predictions: PredictionQuerySet, tenant: Any) -> AsyncIterator[bytes]:
    yield _lines([HEADER])
    last: Prediction | None = None
    while True:
        lines, last = await sync_to_async(_part)(predictions, tenant, last)
        if last is None:
            return
        yield lines


def _part(predictions: PredictionQuerySet, tenant: Any, after: Prediction | None) -> tuple[bytes, Prediction | None]:
    """Return the next lines, and the prediction that they end with.

    The tenant is chosen anew: the middleware is done with the request by now. The connection is given back, since a slow reader
    would keep it from others.
    """
    with use_tenant(tenant):
        try:
            found = list(predictions[:PART] if after is None else predictions.filter(id__lt=after.id)[:PART])
            return _lines(_rows(found)), found[-1] if found else None
        finally:
            connection.close()


def _rows(found: Sequence[Prediction]) -> Iterable[Sequence[Any]]:
    names = usernames(found)
    for one in found:
        yield (
            one.id, one.at.isoformat(), one.model, one.version, one.face, names.get(one.user_id, ""), one.key_id or "",
            one.request_id, one.n_rows, one.duration_us / 1_000, one.n_warnings,
        )  # fmt: skip


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
