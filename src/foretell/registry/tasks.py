"""What the worker does for the registry."""

import structlog
from django.conf import settings
from django.utils import timezone

from foretell.core.idempotency.claiming import forget_expired
from foretell.inference.sandbox import Sandbox
from foretell.registry import building, storage
from foretell.registry.models import ModelVersion
from foretell.tenants.looking import tenants_with
from foretell.tenants.models import Tenant
from foretell.tenants.tasks import each_tenant_task, tenant_task

log = structlog.get_logger(__name__)


@tenant_task()
def build_version(*, version: int) -> None:
    building.build_version(version_id=version, sandbox=Sandbox(settings.SANDBOX_SOCKET))


def _with_abandoned_builds() -> list[Tenant]:
    return tenants_with(ModelVersion.objects.abandoned(timezone.now()))


@each_tenant_task(cron="* * * * * */10", which=_with_abandoned_builds, queueing_lock="resume_builds")
def resume_builds() -> None:
    """Every ten seconds: a build whose worker died waits no longer than its lease."""
    if resumed := building.resume_builds(now=timezone.now()):
        log.info("builds resumed", count=resumed)


@each_tenant_task(cron="17 * * * *", queueing_lock="sweep_files")
def sweep_files() -> None:
    """Every hour: files that no version needs."""
    needed = {
        sha256
        for version in ModelVersion.objects.only("uploads", "sample_sha256", "sha256")
        for sha256 in version.files()
    }
    if swept := storage.sweep(needed, now=timezone.now()):
        log.info("orphaned files swept", count=swept)


@each_tenant_task(cron="41 * * * *", queueing_lock="forget_answers")
def forget_answers() -> None:
    """Every hour: answers that were kept for whoever asks again, when their day is over."""
    if forgotten := forget_expired(now=timezone.now()):
        log.info("kept answers forgotten", count=forgotten)
