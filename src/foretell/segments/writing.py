"""Appending predictions: one write to this process's own segment, before the answer goes out.

A death of the process loses nothing of what was appended. A loss of power may lose what is younger than `sync_every_s`, or
nothing with ``durability="sync"``.
"""

import contextlib
import errno
import logging
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Literal

from foretell.segments.errors import LogUnavailable
from foretell.segments.files import OpenSegment, open_segment
from foretell.segments.format import framed
from foretell.segments.gaps import Gaps
from foretell.segments.records import PredictionRecord, encode, encode_plain
from foretell.segments.reserve import Reserve

log = logging.getLogger(__name__)

Durability = Literal["background", "sync"]
SEGMENT_BYTES = 64 << 20
RESERVE_BYTES = 64 << 20
REOPEN_EVERY_S = 0.5
CLOSED = (errno.EBADF, "the log is closed")

_writers: "weakref.WeakSet[SegmentWriter]" = weakref.WeakSet()


class SegmentWriter:
    """One process's end of the log; for any thread, the event loop's included.

    Parameters
    ----------
    directory
        Where all segments of this installation are; made if it is not there.
    durability
        ``"sync"``: `append` returns when the record is on the disk itself, at the price of the disk's own time.
    segment_bytes, rotate_after_s
        A segment is ended when it is about as large as this, or has anything in it for this long.
    reserve_bytes
        Room that is kept for when the disk is full; 0: none.
    """

    def __init__(
        self,
        directory: Path,
        *,
        durability: Durability = "background",
        segment_bytes: int = SEGMENT_BYTES,
        rotate_after_s: float = 60.0,
        reserve_bytes: int = RESERVE_BYTES,
        sync_every_s: float = 0.05,
    ) -> None:
        self._directory = directory
        self._is_sync = durability == "sync"
        self._segment_bytes, self._rotate_after_s, self._sync_every_s = segment_bytes, rotate_after_s, sync_every_s
        self._reserve = Reserve(directory, reserve_bytes)
        self._gaps = Gaps()
        self.n_unlogged = 0  #: records that were not required, and are not in the log
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._segment: OpenSegment | None = None
        self._retired: list[OpenSegment] = []  # closed by the keeper alone, which may be syncing them
        self._trouble: tuple[int, str] | None = None
        self._keeper: threading.Thread | None = None
        self._stop = threading.Event()
        self._reopen_at = 0.0

    @property
    def trouble(self) -> str | None:
        """Why the log takes no records at the moment; None where it does."""
        return self._trouble[1] if self._trouble else None

    def open(self) -> None:
        """Make the first segment ahead of the first record; where that fails, `trouble` says why."""
        with self._lock, contextlib.suppress(OSError):
            _ = self._segment or self._opened()

    def append(self, record: PredictionRecord, *, is_required: bool = True) -> None:
        """Write the record down.

        Raises
        ------
        LogUnavailable
            where it cannot be written and `is_required`; else the gap is counted, and written down when that is possible again.
        """
        frame = framed(encode(record))
        try:
            with self._lock:
                self._write(frame)
        except OSError as err:
            if is_required:
                raise LogUnavailable(err.strerror or type(err).__name__) from err
            with self._lock:
                self._gaps.add(record.tenant, record.at_us)
                self.n_unlogged += 1

    def close(self) -> None:
        """End the segment; what is in it is the drainer's. Appending afterwards is refused."""
        self._stop.set()
        if self._keeper is not None:
            self._keeper.join()
        with self._lock, contextlib.suppress(OSError):
            self._write_gaps()
        with self._lock:
            self._retire()
            self._trouble = CLOSED
            self._close_retired()

    def _write(self, frame: bytes) -> None:
        """Write one frame in one piece, with the lock held.

        A write that failed, or ended early, is the last one to its segment: a torn frame has nothing behind it.
        """
        segment = self._segment or self._opened()
        try:
            written = os.write(segment.descriptor, frame)
            if written != len(frame):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            segment.size += written
            if self._is_sync:
                segment.sync()
        except OSError as err:
            self._stop_taking(err)
            raise

    def _opened(self) -> OpenSegment:
        if self._trouble is not None:
            raise OSError(*self._trouble)
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._reserve.hold()
            self._segment = open_segment(self._directory, time.monotonic())
        except OSError as err:
            self._stop_taking(err)
            raise
        finally:
            self._keep()
        return self._segment

    def _retire(self) -> None:
        if self._segment is not None:
            self._retired.append(self._segment)
            self._segment = None

    def _stop_taking(self, why: OSError) -> None:
        """Be done with the segment, and take no records until the keeper finds that it is possible again."""
        self._retire()
        if self._trouble is None:
            self._trouble = (why.errno or errno.EIO, why.strerror or type(why).__name__)
            self._reopen_at = time.monotonic() + REOPEN_EVERY_S
            self._reserve.release()
            log.error("the prediction log takes no records: %s", why)

    # --- the keeper: a thread that syncs, ends segments, and looks whether there is room again ---

    def _keep(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep_on, name="prediction log", daemon=True)
            self._keeper.start()

    def _keep_on(self) -> None:
        while not self._stop.wait(self._sync_every_s):
            try:
                self._tend(time.monotonic())
            except OSError as err:
                with self._lock:
                    self._stop_taking(err)
            except Exception:
                log.exception("the prediction log's keeper met something unexpected")

    def _tend(self, now: float) -> None:
        segment = self._segment
        if segment is not None:
            segment.sync()
            if self._has_to_end(segment, now):
                self._rotate(now)
        self._close_retired()
        if now >= self._reopen_at:
            self._reopen_at = now + REOPEN_EVERY_S
            self._look_for_room(now)

    def _has_to_end(self, segment: OpenSegment, now: float) -> bool:
        is_old = now - segment.opened_at >= self._rotate_after_s
        return not segment.is_empty and (is_old or segment.size >= self._segment_bytes)

    def _rotate(self, now: float) -> None:
        """Optimization: the new segment is made outside the lock; an append waits for a pointer to change, not for a disk."""
        fresh = open_segment(self._directory, now)
        with self._lock:
            if self._segment is None:  # a write failed meanwhile
                self._retired.append(fresh)
                return
            self._retire()
            self._segment = fresh

    def _look_for_room(self, now: float) -> None:
        """Raise where another process met the full disk: what it let go of is not for records."""
        if self._segment is not None:
            self._reserve.hold()
        elif self._trouble is not None:
            self._try_again(now)
        with self._lock:
            self._write_gaps()

    def _try_again(self, now: float) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._reserve.hold()
            fresh = open_segment(self._directory, now)
        except OSError:
            return
        with self._lock:
            self._segment, self._trouble = fresh, None
        log.warning("the prediction log takes records again; %d were not logged", len(self._gaps))

    def _write_gaps(self) -> None:
        for gap in self._gaps.records() if self._segment is not None else ():
            self._write(framed(encode_plain(gap)))
            self._gaps.forget(gap.tenant)

    def _close_retired(self) -> None:
        while self._retired:
            segment = self._retired.pop()
            try:
                segment.sync()
            finally:
                segment.close()

    def _forget_parent(self) -> None:
        """After a fork: the segment is the parent's. The child's copies are closed, or its lock would outlive the parent."""
        for segment in (self._segment, *self._retired):
            if segment is not None:
                with contextlib.suppress(OSError):
                    segment.close()
        self._gaps = Gaps()
        self._begin()


def _forget_parents() -> None:
    for writer in list(_writers):
        writer._forget_parent()


os.register_at_fork(after_in_child=_forget_parents)
