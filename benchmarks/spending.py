"""What the processes of a contender use: CPU by part, user and system time apart."""

import contextlib
import statistics
from collections.abc import Iterable, Sequence

import psutil
from contenders.base import Running

Seconds = tuple[float, float]  # of user and of system time
Split = dict[str, Seconds]  # by part, in µs per request


def spent(running: Running) -> Split:
    """Return the CPU seconds of each part so far, with what ended children used."""
    return {part: cpu(processes) for part, processes in running.parts().items()}


def cpu(processes: Iterable[psutil.Process]) -> Seconds:
    user = system = 0.0
    for each in processes:
        with contextlib.suppress(psutil.Error):
            times = each.cpu_times()
            user += times.user + times.children_user
            system += times.system + times.children_system
    return user, system


def per_request(before: Split, after: Split, requests: int) -> Split:
    """Return what a request cost each part, in µs."""
    each = 1e6 / max(1, requests)
    return {
        part: ((user - before[part][0]) * each, (system - before[part][1]) * each)
        for part, (user, system) in after.items()
        if part in before
    }


def total(split: Split) -> float:
    return sum(user + system for user, system in split.values())


def median_split(splits: Sequence[Split]) -> dict[str, list[float]]:
    return {
        part: [statistics.median(split[part][kind] for split in splits if part in split) for kind in (0, 1)]
        for part in splits[0]
    }


def pss_mb(processes: Iterable[psutil.Process]) -> float:
    """Return their memory together; what is shared counts once."""
    found = 0
    for each in processes:
        with contextlib.suppress(psutil.Error):
            found += each.memory_full_info().pss
    return found / 1e6
