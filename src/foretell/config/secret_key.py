"""The installation's secret, when none is given: made once, and kept where only its owner reads it."""

import contextlib
import os
import secrets
from pathlib import Path

from foretell.env import MalformedVariable, unusable_home

MIN_CHARS = 32


def given_secret(secret: str) -> str:
    """Return the secret of the environment, where it is one. Security: what was found is not shown."""
    if secret and len(secret) < MIN_CHARS:
        raise MalformedVariable("SECRET_KEY", "…", f"at least {MIN_CHARS} characters, not {len(secret)}")
    return secret


def installation_secret(home: Path) -> str:
    """Return the secret of `home`, made on first use.

    Raises
    ------
    MalformedVariable
        where it can neither be read nor made there.
    """
    try:
        return _read_or_made(home)
    except OSError as err:
        raise unusable_home(home, err) from err


def _read_or_made(home: Path) -> str:
    """Race condition: several processes may start at once; the first to link its file in place wins, and all read that one."""
    path = home / "secret_key"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    fresh = home / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    return path.read_text().strip()
