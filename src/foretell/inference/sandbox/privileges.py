"""Becoming nobody: a throw-away user of its own for each child where the parent is root, no capability anywhere."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from foretell.inference.sandbox import kernel

# Ranges of user ids that distributions and container engines leave alone; the first that this user namespace maps is used.
_RANGES = ((1_890_000_000, 65_536), (61_184, 4_336))


def throwaway_uids() -> Sequence[int] | None:
    """Return the user ids to draw from, in turn; None where this process cannot become another user.

    They begin at a random one, so that two sandboxes on one machine hardly ever share a user.
    """
    if os.geteuid() != 0:
        return None
    for start, count in _RANGES:
        if _is_mapped(start, count):
            first = secrets.randbelow(count)
            return [*range(start + first, start + count), *range(start, start + first)]
    return None


def drop_privileges(uid: int | None) -> None:
    """Become `uid`, with no groups, for good; without one stay the same user. Either way no capability is left.

    Raises
    ------
    OSError
        where this process is root and stays it.
    """
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    if 0 in (*os.getresuid(), *os.getresgid()) and os.geteuid() == 0:
        raise PermissionError("still root: this user namespace maps no id to become")


def _is_mapped(start: int, count: int) -> bool:
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    spans = [tuple(map(int, line.split())) for line in lines]
    return any(inside <= start and start + count <= inside + length for inside, _, length in spans)
