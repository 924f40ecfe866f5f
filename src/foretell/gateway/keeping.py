"""Writes down what the catalogue knows, so that a process that starts while the database is away has something to serve."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from foretell.errors import ForetellError
from foretell.gateway.catalogue import Known, MemoryCatalogue, known_of
from foretell.gateway.descriptions import Descriptions
from foretell.gateway.rows import unpacked
from foretell.gateway.signed_files import FileRefused
from foretell.gateway.snapshot import read_snapshot, write_snapshot
from foretell.serving.catalogue import Tenant

log = structlog.get_logger(__name__)

WRITE_EVERY_S = 2.0  # at most: a change after a quiet while is written at once
RENEW_S = 3_600.0  # so that what is still true does not grow too old to be served from
SLICE_S = 0.1  # how long versions' files are made before changes are looked for again
FRESH_S = 10.0  # a catalogue that was confirmed so lately is what the database has


class Keeper:
    """The snapshot, and a file for each ready version."""

    def __init__(
        self, directory: Path, descriptions: Descriptions, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._descriptions, self._clock = descriptions, clock
        self._undescribed: deque[str] = deque()
        self._is_changed = False
        self._written_at = float("-inf")

    def load(self, catalogue: MemoryCatalogue) -> bool:
        """Fill an empty catalogue from the snapshot; return whether there was one that may be served from."""
        tenants = snapshot_of(self._directory)
        if tenants is None:
            return False
        try:
            all_known = [_known(number, rows) for number, rows in tenants]
        except (msgspec.MsgspecError, ForetellError) as err:
            log.warning("the snapshot is of another release", detail=str(err))
            return False
        for known in all_known:
            catalogue.learn(known)
            catalogue.publish(known.wanted)
            self._undescribed.append(known.wanted.schema_name)
        catalogue.is_complete = True
        return True

    def note(self, schema_name: str) -> None:
        """Remember that a tenant changed."""
        self._is_changed = True
        self._undescribed.append(schema_name)

    def forget(self, entry: Tenant) -> None:
        self._is_changed = True
        self._descriptions.forget(entry)

    def tend(self, catalogue: MemoryCatalogue) -> None:
        """Write what is due."""
        since_s = self._clock() - self._written_at
        is_due = since_s >= WRITE_EVERY_S if self._is_changed else since_s >= RENEW_S and _is_fresh(catalogue)
        if is_due:
            self.write_now(catalogue)
        if not catalogue.is_cut_off:
            self._describe(catalogue)

    def write_now(self, catalogue: MemoryCatalogue) -> None:
        if not catalogue.is_complete or not (self._is_changed or _is_fresh(catalogue)):
            return
        self._is_changed, self._written_at = False, self._clock()
        try:
            write_snapshot(_path(self._directory), catalogue.all_known(), now=timezone.now())
        except OSError as err:
            log.warning("the catalogue's snapshot cannot be written", detail=str(err))

    def _describe(self, catalogue: MemoryCatalogue) -> None:
        """Make the files of versions that became ready, a few at a time."""
        until = self._clock() + SLICE_S
        while self._undescribed and self._clock() < until:
            known = catalogue.known(self._undescribed[0])
            try:
                if known is not None:
                    self._descriptions.keep(known.wanted)
            except DatabaseError as err:
                log.warning("versions' files wait for the database", detail=str(err).strip())
                return
            finally:
                close_old_connections()
            self._undescribed.popleft()


def _known(number: int, rows: bytes) -> Known:
    return known_of(unpacked(rows), number=number, packed=rows)


def _is_fresh(catalogue: MemoryCatalogue) -> bool:
    return catalogue.age_s is not None and catalogue.age_s < FRESH_S


def snapshot_of(directory: Path) -> list[tuple[int, bytes]] | None:
    """Return what the snapshot has, or None where there is none that may be served from."""
    try:
        return read_snapshot(_path(directory), now=timezone.now())
    except FileRefused as err:
        if not isinstance(err.__cause__, FileNotFoundError):
            log.warning("the snapshot cannot be served from", detail=err.message)
        return None


def _path(directory: Path) -> Path:
    return directory / "snapshot"
