"""What the catalogue keeps of a tenant on this host's disk, taken away: for whoever deletes one while no web process runs to see it."""

import shutil
from pathlib import Path

from foretell.gateway.snapshot import drop_from_snapshot


def forget_on_disk(directory: Path, *, tenant_id: str) -> None:
    """Delete the files of a tenant's versions, and its part of the snapshot.

    Race condition: a web process that writes the snapshot at this moment writes it again within seconds of hearing that the
    tenant is gone.
    """
    shutil.rmtree(directory / "versions" / tenant_id, ignore_errors=True)
    if (directory / "snapshot").exists():
        drop_from_snapshot(directory / "snapshot", tenant_id=tenant_id)
