"""Writing predictions down before they are answered, for the faces that come through Django."""

import atexit
import threading

from django.conf import settings

from foretell.accounts.permissions import Principal
from foretell.core.request_ids import request_id
from foretell.core.tenancy import current_tenant
from foretell.inference.answering import Prediction
from foretell.inference.logged import Asked, record_of
from foretell.registry.models import ModelVersion
from foretell.segments.writing import SegmentWriter
from foretell.tenants.models import LogPolicy

_opening = threading.Lock()
_recorder: SegmentWriter | None = None


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


def record(*, principal: Principal, version: ModelVersion, asked: Asked, prediction: Prediction, cpu_s: float) -> None:
    """Write a prediction down, as much of it as its model's policy allows; `cpu_s` as in `record_of`.

    Raises
    ------
    LogUnavailable
        where it cannot be, and the tenant requires it.
    """
    tenant, model = current_tenant(), version.model
    entry = record_of(
        prediction, asked, tenant=str(tenant.id), user_id=str(principal.user.pk), key_id=principal.key_id,
        request_id=request_id(), policy=model.log_payload, redacted=model.redacted_inputs, cpu_s=cpu_s,
    )  # fmt: skip
    recorder().append(entry, is_required=tenant.log_policy == LogPolicy.REQUIRED)
