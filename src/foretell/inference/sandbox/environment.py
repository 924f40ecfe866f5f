"""The environment of the parent: what Python needs to start, one thread per library, and no secret."""

import os
import sys
from collections.abc import Mapping

_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_KEPT_PREFIXES = ("PYTHON",)

# A child may not start processes, and its threads count: libraries that look at the number of cores see one.
_SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    "JOBLIB_MULTIPROCESSING": "0",
    "MALLOC_ARENA_MAX": "2",
    "ORT_DISABLE_TELEMETRY": "1",  # it reports over the network, from a thread of its own, which a fork would lose
    "PYTHONSAFEPATH": "1",
}


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the part of `environment` that the sandbox may see, with one thread per library."""
    kept = {name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return kept | _SINGLE_THREADED


def forget_environment() -> None:
    """Start this program over without what does not belong into its environment; return if nothing has to go.

    Security: to delete a variable is not enough. The kernel keeps the first environment at the top of the stack, and
    each child would inherit it.
    """
    wanted = clean_environment()
    if dict(os.environ) != wanted:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)  # noqa: S606 - this very program again
