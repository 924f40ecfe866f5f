"""A tenant that comes from another installation: what `tenants.archives` cannot know of, since it is the rooms' above.

What was made with that installation's SECRET_KEY does not hold here, unless both have the same: keys are ended, and have to be issued
anew; versions are built again from what their authors pushed, since only what was built here is served here. Passwords stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from foretell.accounts.models import APIKey
from foretell.audit.recording import record
from foretell.core.tenancy import use_tenant
from foretell.registry.building import defer_build
from foretell.registry.describing import target_of
from foretell.registry.models import ModelVersion, State
from foretell.tenants.archives.reading import Arrived, importing

REASON = "imported from another installation"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came, and what has to be done again."""

    arrived: Arrived
    keys_ended: int = 0
    builds: int = 0


def import_tenant(
    *, file: BinaryIO, now: datetime, name: str | None = None, domains: Sequence[str] | None = None
) -> Imported:
    """Read a tenant's archive in; all of it or nothing. `name` and `domains` take the place of its own.

    Raises
    ------
    ArchiveRefused, TenantExists, InvalidTenant
    """
    with importing(file=file, name=name, domains=domains) as arrived:
        if arrived.is_same_secret:
            return Imported(arrived)
        with use_tenant(arrived.tenant):
            return Imported(arrived, keys_ended=_end_keys(now), builds=_build_again(now))


def _end_keys(now: datetime) -> int:
    """End the keys: their digests were made with another pepper, and verify nothing."""
    keys = list(APIKey.objects.filter(revoked_at=None))
    for key in keys:
        record(
            action="key.revoked",
            target=("key", key.key_id),
            before={"revoked_at": None},
            after={"revoked_at": now, "reason": REASON},
        )
    APIKey.objects.filter(revoked_at=None).update(revoked_at=now)
    return len(keys)


def _build_again(now: datetime) -> int:
    """Security: nothing of another installation is served on its word; each version is opened and checked as at its push."""
    versions = list(ModelVersion.objects.select_related("model").filter(state__in=[State.READY, State.BUILDING]))
    for version in versions:
        record(
            action="version.quarantined", target=target_of(version),
            before={"state": version.state}, after={"state": State.QUARANTINED, "reason": REASON},
        )  # fmt: skip
        version.state, version.seal, version.interruptions = State.QUARANTINED, "", 0
        version.save(update_fields=["state", "seal", "interruptions", "updated_at"])
        defer_build(version, now=now)
    return len(versions)
