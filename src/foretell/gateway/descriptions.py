"""What a version is, in a file of its own: its signature, its examples, its file's name, and the seal over them.

A version never changes once it is ready, so neither does its file; with it, and the artifact, a version is loaded without the database.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from foretell.core.tenancy import use_tenant
from foretell.errors import ForetellError
from foretell.gateway.away import DatabaseAway
from foretell.gateway.signed_files import FileRefused, read_signed, write_signed
from foretell.registry.models import ModelVersion, RegisteredModel, State
from foretell.registry.sealing import SealBroken, check_seal
from foretell.serving.catalogue import Model, Tenant, Version


class VersionGone(ForetellError):
    """A version that the catalogue has and the database has no more."""

    code = "unavailable"


FIELDS = ("model_id", "number", "sha256", "size_bytes", "runtime", "seal", "signature", "examples", "options")


class Descriptions:
    """The files of this host, `<directory>/<tenant>/<version>-<digest of its seal>`.

    Parameters
    ----------
    is_cut_off
        Whether it is known that the database is away; then it is not asked.
    """

    def __init__(self, directory: Path, *, is_cut_off: Callable[[], bool] = lambda: False) -> None:
        self._directory, self._is_cut_off = directory, is_cut_off

    def row(self, tenant: Tenant, model: Model, version: Version) -> ModelVersion:
        """Return a ready version's row, unsaved, as it was sealed: from its file, or from the database, which makes the file.

        Raises
        ------
        SealBroken
            where the row in the database is not what was built.
        VersionGone, DatabaseAway
        """
        with use_tenant(tenant):
            try:
                return self._from_file(tenant, model, version)
            except (FileRefused, SealBroken):
                return self._from_database(tenant, version)

    def keep(self, tenant: Tenant) -> None:
        """Make the files that are missing of the tenant's ready versions, and delete those of versions that are gone."""
        versions = (version for model in tenant.models.values() for version in model.versions.values())
        wanted = {self._name(version): version for version in versions if version.is_ready}
        there = self._names(tenant)
        missing = {version.pk for name, version in wanted.items() if name not in there}
        if missing:
            with use_tenant(tenant):
                for row in ModelVersion.objects.filter(pk__in=missing, state=State.READY).order_by().iterator(50):
                    with contextlib.suppress(SealBroken):  # said when it is asked for
                        self._keep(tenant, row)
        for name in there - wanted.keys():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._directory / tenant.id / name)

    def forget(self, tenant: Tenant) -> None:
        shutil.rmtree(self._directory / tenant.id, ignore_errors=True)

    def _from_file(self, tenant: Tenant, model: Model, version: Version) -> ModelVersion:
        name = self._name(version)
        content = read_signed(self._directory / tenant.id / name, purpose=f"version {tenant.id} {name}")
        fields = json.loads(content)
        row = ModelVersion(pk=version.pk, state=State.READY, **fields)
        row.model = RegisteredModel(pk=fields["model_id"], name=model.name)
        check_seal(row)
        return row

    def _from_database(self, tenant: Tenant, version: Version) -> ModelVersion:
        if self._is_cut_off():
            raise DatabaseAway
        rows = ModelVersion.objects.select_related("model")
        row = rows.filter(pk=version.pk, seal=version.seal, state=State.READY).first()
        if row is None:
            raise VersionGone("This version is not there any more.")
        self._keep(tenant, row)
        return row

    def _keep(self, tenant: Tenant, row: ModelVersion) -> None:
        check_seal(row)
        name = _name(row.pk, row.seal)
        content = json.dumps({field: getattr(row, field) for field in FIELDS}).encode()
        with contextlib.suppress(OSError):  # a full disk keeps nobody from predicting while the database is there
            write_signed(self._directory / tenant.id / name, content, purpose=f"version {tenant.id} {name}")

    def _names(self, tenant: Tenant) -> set[str]:
        with contextlib.suppress(FileNotFoundError):
            return {name for name in os.listdir(self._directory / tenant.id) if not name.startswith(".")}
        return set()

    def _name(self, version: Version) -> str:
        return _name(version.pk, version.seal)


def _name(pk: int, seal: str) -> str:
    """Security: nothing that stands in a row becomes part of a path as it is."""
    return f"{pk}-{blake2b(seal.encode(), digest_size=8).hexdigest()}"
