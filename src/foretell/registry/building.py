"""Building a version, once, whatever dies meanwhile.

The queue only wakes somebody up. Who builds is decided by a lease on the version's row, renewed while the build goes on; a
fencing token keeps a worker that was thought dead from writing over its successor.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from foretell.audit.recording import record
from foretell.core.tenancy import current_tenant
from foretell.errors import ForetellError
from foretell.inference.building import BuildOptions, BuiltModel, build
from foretell.inference.errors import InferenceError, SandboxUnavailable
from foretell.inference.sandbox import Sandbox
from foretell.registry import promotions, storage
from foretell.registry.describing import target_of
from foretell.registry.errors import ModelArchived, SignatureMismatch
from foretell.registry.models import ModelVersion, State
from foretell.registry.promotion_requests import PromotionRequest
from foretell.registry.sealing import seal

log = structlog.get_logger(__name__)

TASK = "foretell.registry.tasks.build_version"
LEASE = timedelta(seconds=30)
RENEW_EVERY_S = 10.0
MAX_INTERRUPTIONS = 3

_CLAIMED = ("state", "fence", "lease_expires_at", "interruptions", "reason_code", "reason")
_BUILT = ("sha256", "size_bytes", "runtime", "runtime_reason", "signature", "parity", "examples", "lineage")
_SEALED = ("state", "seal", "ready_at", "lease_expires_at")


def defer_build(version: ModelVersion, *, now: datetime) -> None:
    """Queue the build, in the transaction at hand; where it is queued already, once is enough.

    Race condition: the lease of one that is being built is its worker's alone. Renewed here, a dead worker's would never end.
    """
    ModelVersion.objects.filter(pk=version.pk, state=State.QUARANTINED).update(lease_expires_at=now + LEASE)
    tenant = str(current_tenant().id)
    task = app.configure_task(TASK, queueing_lock=f"build-{tenant}-{version.pk}")
    try:
        with transaction.atomic():
            task.defer(tenant=tenant, version=version.pk)
    except AlreadyEnqueued:
        pass


def resume_builds(*, now: datetime) -> int:
    """Queue again what was left behind: by a worker that died, a queue that lost it, a sandbox that was away."""
    abandoned = list(ModelVersion.objects.abandoned(now))
    for version in abandoned:
        defer_build(version, now=now)
    return len(abandoned)


def build_version(*, version_id: int, sandbox: Sandbox) -> None:
    """Build a version to its end: ready, or failed with a reason; or, where the sandbox is away, left for later."""
    version = claim(version_id, now=timezone.now())
    if version is None:
        return
    try:
        with renewed_lease(version):
            built = build(
                sandbox, files=_files(version), sample=_sample(version), options=BuildOptions(**version.options)
            )
            artifact = storage.store([built.artifact])
    except SandboxUnavailable as err:
        _put_back(version, err)
    except (InferenceError, storage.ArtifactDamaged, storage.StorageFull) as err:
        fail(version, err)
    except Exception:
        log.exception("a build broke", version=str(version))
        fail(
            version,
            ForetellError(
                "The build broke on something unforeseen; the log of the worker has it.", code="build_broken"
            ),
        )
    else:
        finish(version, built, artifact)


def claim(version_id: int, *, now: datetime) -> ModelVersion | None:
    """Take the version to build it; None where it is finished, or in the hands of another worker."""
    with transaction.atomic():
        version = (
            ModelVersion.objects.select_for_update(of=("self",))
            .select_related("model")
            .unfinished()
            .filter(pk=version_id)
            .first()
        )
        if version is None:
            return None
        if version.state == State.BUILDING:
            if version.lease_expires_at is not None and version.lease_expires_at > now:
                return None
            version.interruptions += 1
        version.state, version.fence, version.lease_expires_at = State.BUILDING, version.fence + 1, now + LEASE
        version.reason_code, version.reason = "", ""  # why it waited is over
        version.save(update_fields=[*_CLAIMED, "updated_at"])
    if version.interruptions >= MAX_INTERRUPTIONS:
        fail(
            version,
            ForetellError(
                f"The worker ended {version.interruptions} times in the middle of this build, for lack of memory perhaps.",
                code="build_interrupted",
            ),
        )
        return None
    return version


def finish(version: ModelVersion, built: BuiltModel, artifact: storage.Stored) -> None:
    """Write the outcome and move the wanted alias, in one transaction."""
    with transaction.atomic():
        version.model.lock()  # before the version, as pushes do: the other order could deadlock with them
        if not _is_still_ours(version):
            return
        version.sha256, version.size_bytes = artifact.sha256, artifact.size_bytes
        version.runtime, version.runtime_reason = built.runtime, built.reason
        version.signature, version.parity, version.examples = (
            built.signature.to_json(),
            built.parity.to_json(),
            built.examples.to_json(),
        )
        version.lineage = {
            **version.lineage,
            "libraries": {**dict(built.libraries), **version.lineage.get("libraries", {})},
        }
        version.save(update_fields=[*_BUILT, "updated_at"])
        version.refresh_from_db()  # sealed is what the database gives back: it may write a number in another way
        version.state, version.seal, version.ready_at, version.lease_expires_at = (
            State.READY,
            seal(version),
            timezone.now(),
            None,
        )
        version.save(update_fields=[*_SEALED, "updated_at"])
        after = {name: getattr(version, name) for name in ("state", "sha256", "size_bytes", "runtime")}
        record(action="version.ready", target=target_of(version), before={"state": State.BUILDING}, after=after)
        _move_wanted_alias(version)


def fail(version: ModelVersion, err: ForetellError) -> None:
    with transaction.atomic():
        if _is_still_ours(version):
            version.state, version.reason_code, version.reason, version.lease_expires_at = (
                State.FAILED,
                err.code[:50],
                err.message,
                None,
            )
            version.save(update_fields=["state", "reason_code", "reason", "lease_expires_at", "updated_at"])
            after = {name: getattr(version, name) for name in ("state", "reason_code", "reason")}
            record(action="version.failed", target=target_of(version), before={"state": State.BUILDING}, after=after)


@contextmanager
def renewed_lease(version: ModelVersion) -> Iterator[None]:
    """Renew the lease every few seconds while the block runs, from a thread that dies with the process."""
    is_over = threading.Event()

    def renew() -> None:
        try:
            while not is_over.wait(RENEW_EVERY_S):
                ModelVersion.objects.filter(pk=version.pk, fence=version.fence).update(
                    lease_expires_at=timezone.now() + LEASE
                )
        finally:
            connection.close()

    thread = threading.Thread(target=copy_context().run, args=(renew,), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _is_still_ours(version: ModelVersion) -> bool:
    """Race condition: whoever took the version after us has a higher fence, and ours is no longer the outcome that counts."""
    return (
        ModelVersion.objects.select_for_update()
        .filter(pk=version.pk, fence=version.fence, state=State.BUILDING)
        .exists()
    )


def _put_back(version: ModelVersion, err: ForetellError) -> None:
    log.warning("a build waits for the sandbox", version=str(version), detail=err.message)
    ModelVersion.objects.filter(pk=version.pk, fence=version.fence).update(
        state=State.QUARANTINED, lease_expires_at=timezone.now(), reason_code=err.code[:50], reason=err.message
    )


def _move_wanted_alias(version: ModelVersion) -> None:
    """Move the alias that was wanted at the push, unless callers would break or a later push was faster and has it already."""
    alias = version.wanted_alias
    if not alias:
        return
    newer = (
        version.model.aliases.filter(name=alias, version__number__gt=version.number).select_related("version").first()
    )
    if newer is not None:
        _say_why_not_moved(
            version, f"{alias!r} points at version {newer.version.number} already, which was pushed later."
        )
        return
    try:
        moved = promotions.promote(version=version, alias=alias, by=version.created_by, now=timezone.now())
        if isinstance(moved, PromotionRequest):
            _say_why_not_moved(version, f"{alias!r} moves here when a second person approves it.")
    except (SignatureMismatch, ModelArchived) as err:
        _say_why_not_moved(version, err.message)


def _say_why_not_moved(version: ModelVersion, reason: str) -> None:
    version.reason_code, version.reason = "alias_not_moved", reason
    version.save(update_fields=["reason_code", "reason", "updated_at"])


def _files(version: ModelVersion) -> list[tuple[str, bytes]]:
    return [(upload["name"], storage.read(upload["sha256"])) for upload in version.uploads]


def _sample(version: ModelVersion) -> bytes | None:
    return storage.read(version.sample_sha256) if version.sample_sha256 else None
