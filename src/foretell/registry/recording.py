"""Writing predictions down before they are answered, for the faces that come through Django."""

import atexit
import threading
import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from foretell.accounts.permissions import Principal
from foretell.core.request_ids import request_id
from foretell.core.tenancy import current_tenant
from foretell.inference.codec import ParsedRows
from foretell.inference.logged import logged_payload
from foretell.registry.models import ModelVersion
from foretell.segments.records import PredictionRecord
from foretell.segments.writing import SegmentWriter
from foretell.tenants.models import LogPolicy

_opening = threading.Lock()
_recorder: SegmentWriter | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """How a prediction was asked for.

    face : "rest", "form", …
    body, media_type : what came, where it is one of our own API's bodies; else the rows themselves are logged.
    """

    face: str
    body: bytes = b""
    media_type: str = ""


def recorder() -> SegmentWriter:
    """Return this process's end of the prediction log; the lane appends to the same one."""
    global _recorder
    if _recorder is None:
        with _opening:
            if _recorder is None:
                opened = SegmentWriter(
                    settings.PREDICTION_LOG_ROOT,
                    durability="sync" if settings.PREDICTION_LOG_DURABILITY == "sync" else "background",
                    reserve_bytes=settings.PREDICTION_LOG_RESERVE_BYTES,
                )
                opened.open()
                atexit.register(opened.close)
                _recorder = opened
    return _recorder


def close_recorder() -> None:
    """End this process's segment; the next prediction begins another."""
    global _recorder
    with _opening:
        writer, _recorder = _recorder, None
    if writer is not None:
        atexit.unregister(writer.close)
        writer.close()


def record(
    *,
    id: UUID,
    principal: Principal,
    version: ModelVersion,
    asked: Asked,
    parsed: ParsedRows,
    answer: bytes,
    duration_s: float,
) -> None:
    """Write a prediction down, as much of it as its model's policy allows.

    Raises
    ------
    LogUnavailable
        where it cannot be, and the tenant requires it.
    """
    tenant, model = current_tenant(), version.model
    inputs, inputs_type, outputs = logged_payload(
        model.log_payload, model.redacted_inputs, body=asked.body, media_type=asked.media_type, parsed=parsed, answer=answer
    )  # fmt: skip
    entry = PredictionRecord(
        id=id.bytes, tenant=str(tenant.id), at_us=time.time_ns() // 1_000, model=model.name, version=version.number,
        face=asked.face, user_id=str(principal.user.pk), key_id=principal.key_id, request_id=request_id(),
        n_rows=parsed.batch.n_rows, duration_us=int(duration_s * 1e6), n_warnings=len(parsed.warnings),
        inputs=inputs, inputs_type=inputs_type, outputs=outputs,
    )  # fmt: skip
    recorder().append(entry, is_required=tenant.log_policy == LogPolicy.REQUIRED)
