"""Read the environment (12-factor): typed, with one clear line for a malformed value. Standard library only.

The command line reads the same variables in a base install without Django, so this knows no framework.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from foretell.errors import ForetellError

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class MalformedVariable(ForetellError):
    """An environment variable whose value cannot be read."""

    code = "malformed_variable"

    def __init__(self, name: str, found: str, expected: str) -> None:
        super().__init__(
            f"{name} is {found!r}; expected {expected}. Correct it in the environment or in .env.", name=name
        )


def load_dotenv(path: Path = Path(".env")) -> None:
    """Take the variables of a ``.env`` file into the environment; what is set there already wins."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, value = _assignment(line, where=f"{path}:{number}")
        if name:
            os.environ.setdefault(name, value)


def text(name: str, default: str) -> str:
    return os.environ.get(name, "") or default


def integer(name: str, default: int, *, minimum: int | None = None, maximum: int | None = None) -> int:
    found = text(name, str(default))
    try:
        value = int(found)
    except ValueError:
        raise MalformedVariable(name, found, "a whole number") from None
    if minimum is not None and value < minimum:
        raise MalformedVariable(name, found, f"a whole number of at least {minimum}")
    if maximum is not None and value > maximum:
        raise MalformedVariable(name, found, f"a whole number of at most {maximum}")
    return value


def boolean(name: str, default: bool) -> bool:
    found = text(name, str(default)).lower()
    if found in TRUE | FALSE:
        return found in TRUE
    raise MalformedVariable(name, found, "true or false")


def choice(name: str, default: str, choices: Mapping[str, object] | tuple[str, ...]) -> str:
    found = text(name, default)
    if found in choices:
        return found
    raise MalformedVariable(name, found, "one of " + ", ".join(choices))


def listing(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Read a comma-separated list."""
    found = os.environ.get(name, "")
    return [item.strip() for item in found.split(",") if item.strip()] or list(default)


def url(name: str, default: str = "", *, schemes: tuple[str, ...]) -> str:
    """Read a URL of one of `schemes`, or the empty string where there is none."""
    found = text(name, default)
    if not found:
        return ""
    try:
        parts = urlsplit(found)
        _ = parts.port  # reading it is what checks it
    except ValueError as err:
        raise MalformedVariable(name, _without_password(found), f"a URL ({err})") from None
    if parts.scheme not in schemes:
        raise MalformedVariable(
            name,
            _without_password(found),
            "a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes),
        )
    return found


def home() -> Path:
    """Return the directory of all state: ``FORETELL_HOME``.

    For root the default is not under its home: PostgreSQL runs as another user and has to reach its data.
    """
    default = "/var/lib/foretell" if hasattr(os, "geteuid") and os.geteuid() == 0 else "~/.foretell"
    return Path(text("FORETELL_HOME", default)).expanduser().absolute()


def _assignment(line: str, *, where: str) -> tuple[str, str]:
    line = line.strip().removeprefix("export ")
    if not line or line.startswith("#"):
        return "", ""
    name, equals, value = line.partition("=")
    if not equals or not name.strip().isidentifier():
        raise MalformedVariable(where, line, "NAME=value")
    return name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def _without_password(found: str) -> str:
    """Security: a malformed URL is shown in logs; what stands before its host is not."""
    before, at, after = found.rpartition("@")
    return f"{before.split('//', 1)[0]}//…@{after}" if at else found


def unusable_home(home: Path, err: OSError) -> MalformedVariable:
    """Return what is said where the directory of all state cannot be one."""
    return MalformedVariable(
        "FORETELL_HOME", str(home), f"a directory that this user may read and write ({err.strerror}: {err.filename})"
    )
