"""Which locks this machine has, without putting any on: for ``foretell doctor``."""

import os
from dataclasses import dataclass
from pathlib import Path

from foretell.inference.sandbox import kernel, landlock, seccomp
from foretell.inference.sandbox.privileges import throwaway_uids


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the sandbox on this machine."""

    name: str
    available: bool
    required: bool
    detail: str


def layers() -> list[Layer]:
    """Probe every layer. Where a required one is not available, raw pickles and the python runtime are refused."""
    if not kernel.IS_LINUX:
        names = ("rlimits", "privileges", "no_new_privs", "landlock", "seccomp")
        return [Layer(name, available=False, required=True, detail="it takes Linux") for name in names]
    return [_rlimits(), _privileges(), _no_new_privs(), _landlock(), _seccomp(), _interpreter()]


def _rlimits() -> Layer:
    return Layer("rlimits", available=True, required=True, detail="processor time, memory, files, threads, no cores")


def _privileges() -> Layer:
    if os.geteuid() != 0:
        return Layer(
            "privileges", available=True, required=True, detail="not root: jobs run as this user, without capabilities"
        )
    uids = throwaway_uids()
    if uids is None:
        return Layer(
            "privileges",
            available=False,
            required=True,
            detail="root, but this user namespace maps no other user; run as a plain user",
        )
    return Layer(
        "privileges", available=True, required=True, detail=f"each job becomes a user of its own, such as {uids[0]}"
    )


def _no_new_privs() -> Layer:
    try:
        kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS)
    except OSError as err:
        return Layer("no_new_privs", available=False, required=True, detail=f"{err.strerror}; it takes Linux 3.5")
    return Layer("no_new_privs", available=True, required=True, detail="nothing can be gained by executing")


def _landlock() -> Layer:
    version = landlock.abi()
    if version == 0:
        return Layer(
            "landlock",
            available=False,
            required=True,
            detail="it takes Linux 5.13 with landlock among its LSMs (boot option lsm=)",
        )
    extent = ["files"] + ["TCP"] * (version >= 4) + ["signals and abstract sockets"] * (version >= 6)
    return Layer("landlock", available=True, required=True, detail=f"ABI {version}: {', '.join(extent)}")


def _seccomp() -> Layer:
    if seccomp.is_available():
        return Layer(
            "seccomp", available=True, required=True, detail=f"an allow-list of system calls for {kernel.machine()}"
        )
    return Layer(
        "seccomp",
        available=False,
        required=True,
        detail=f"it takes Linux 4.14 on x86_64 or aarch64; this is {kernel.machine()}",
    )


def _interpreter() -> Layer:
    """Whether the throw-away user can reach Python: if not, a job has only what was imported before it."""
    closed = next((path for path in landlock.readable_paths() for path in _closed_to_others(path)), None)
    if os.geteuid() != 0 or closed is None:
        return Layer("interpreter", available=True, required=False, detail="jobs can import what was not preloaded")
    detail = (
        f"{closed} is closed to other users: jobs can use only preloaded packages. Install Python under /usr or /opt."
    )
    return Layer("interpreter", available=False, required=False, detail=detail)


def _closed_to_others(path: Path) -> list[Path]:
    return [step for step in (path, *path.parents) if step.is_dir() and not step.stat().st_mode & 0o001]
