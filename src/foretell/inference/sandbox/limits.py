"""How much a job may take."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one locked child may take. Beyond any of these it is killed, or its call fails.

    Parameters
    ----------
    cpu_s
        Processor time over the child's whole life. A long-lived server is gone when it is spent: be generous and reopen.
    wall_s
        Time for a job, or for the opening of a server, from its start to its answer.
    memory_bytes
        Address space on top of what the preloaded libraries already occupy.
    result_bytes
        Longest answer that is read; a longer one counts as a crash.
    threads
        Threads that may run at once.
    open_files
        Files that may be open at once.
    """

    cpu_s: int = 20
    wall_s: float = 30.0
    memory_bytes: int = 2048 * MEBIBYTE
    result_bytes: int = 128 * MEBIBYTE
    threads: int = 32
    open_files: int = 64
