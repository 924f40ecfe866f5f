"""Where a version comes from: commit, data, libraries, author. Found, never asked for; what is not there is left out."""

import getpass
import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

GIT_TIMEOUT_S = 5.0


def lineage(*, data: bytes | None, libraries: Mapping[str, str]) -> dict[str, object]:
    """Return the lineage of a model that is pushed from here and now.

    git_commit : of the working directory; with ``-dirty`` at its end where files differ from it.
    data_sha256 : of the sample, as CSV.
    """
    found: dict[str, object] = {
        "git_commit": _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
        "data_sha256": hashlib.sha256(data).hexdigest() if data is not None else "",
        "author": author()[:200],
        "source": source()[:500],
    }
    versions = {"python": platform.python_version(), "foretell": _own_version(), **libraries}
    return {**{name: value for name, value in found.items() if value}, "libraries": versions}


def author() -> str:
    name, address = _git("config", "user.name"), _git("config", "user.email")
    if name or address:
        return f"{name} <{address}>".removesuffix(" <>").strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return ""


def source() -> str:
    """Return the script that pushes, below the working directory where it is; "" in a notebook or a shell."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None:
        return ""
    path = Path(script).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name


def _git(*arguments: str) -> str:
    # Security: a repository's own settings may name programs to run; a push runs none of them.
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _own_version() -> str:
    from foretell import __version__

    return __version__
