"""Environments for other people's servers: made by uv once, kept outside the project, never the project's own."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from contenders.base import CannotRun

INSTALL_WITHIN_S = 600.0
SAME = ("scikit-learn", "joblib")  # the forest is read by what wrote it


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foretell-bench"


def python_with(packages: Sequence[str]) -> Path:
    """Return the interpreter of an environment with these packages, made where it is not there yet."""
    wanted = [*packages, *(f"{name}=={version(name)}" for name in SAME)]
    digest = hashlib.blake2b(" ".join([sys.version, *wanted]).encode(), digest_size=6).hexdigest()
    place = cache() / f"{packages[0].split('[')[0]}-{digest}"
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(place))
        _uv("pip", "install", "--quiet", "--python", str(python), *wanted)
        (place / "complete").touch()
    return python


def _uv(*arguments: str) -> None:
    environment = {"UV_INDEX_STRATEGY": "unsafe-best-match", **os.environ}
    try:
        done = subprocess.run(
            ["uv", *arguments],  # noqa: S607  the uv of whoever measures
            env=environment,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"cannot be installed: {error}") from None
    if done.returncode:
        raise CannotRun(f"cannot be installed: {done.stderr.strip()[-400:]}")
