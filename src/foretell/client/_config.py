"""Where a client finds its server and key: arguments, then the environment, then the file that `foretell login` wrote."""

import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from foretell.client._errors import NotConfigured

URL, API_KEY, TENANT = "FORETELL_URL", "FORETELL_API_KEY", "FORETELL_TENANT"
_KEYS = ("url", "tenant", "api_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A server, a tenant on it ("" where the host says which), and a key."""

    url: str
    tenant: str = ""
    api_key: str = field(default="", repr=False)  # Security: not in tracebacks and logs

    @property
    def root(self) -> str:
        """The tenant's address, without a slash at its end; `url` may be that address already."""
        below = f"/t/{quote(self.tenant, safe='')}"
        return self.url if not self.tenant or self.url.endswith(below) else self.url + below


def resolve(
    url: str | None = None,
    api_key: str | None = None,
    tenant: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    path: Path | None = None,
) -> Settings:
    """Return the settings in force; an argument wins over the environment, the environment over the file.

    Raises
    ------
    NotConfigured
        says what is missing or malformed, and the ways to give it.
    """
    stored = read_stored(path or config_path(environ))
    found_url = normal_url(url or environ.get(URL) or (stored.url if stored else ""))
    # Security: what was stored for one server never goes to another.
    own = stored if stored is not None and stored.url == found_url else None
    found_key = api_key or environ.get(API_KEY) or (own.api_key if own else "")
    if tenant is None:
        tenant = environ.get(TENANT) or (own.tenant if own else "")
    if not found_key:
        raise NotConfigured(
            f"No API key for {found_url} is known. Run `foretell login`, or set {API_KEY}, or pass api_key=."
        )
    return Settings(url=found_url, tenant=checked_tenant(tenant), api_key=checked_key(found_key))


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    base = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "foretell" / "config.toml"


def read_stored(path: Path) -> Settings | None:
    """Return what `foretell login` stored; None where it did not.

    Raises
    ------
    NotConfigured
        for a file that other people can read, or that is not what login writes.
    """
    try:
        # Security: as ssh does with its keys, refuse a file that others could read or change.
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise NotConfigured(f"{path} holds a key and is open to other users. Close it: chmod 600 {path}")
        data = tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as err:
        raise NotConfigured(f"{path} cannot be read: {err}. Run `foretell login` to write it anew.") from None
    values = {key: data.get(key, "") for key in _KEYS}
    if not all(isinstance(value, str) for value in values.values()) or not values["url"]:
        raise NotConfigured(f"{path} should have {', '.join(_KEYS)} as texts. Run `foretell login` to write it anew.")
    return Settings(url=normal_url(values["url"]), tenant=values["tenant"], api_key=values["api_key"])


def store(settings: Settings, path: Path) -> None:
    """Write the file, for its owner only, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {"url": settings.url, "tenant": settings.tenant, "api_key": settings.api_key}
    lines = ["# Written by `foretell login`.", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".config-")  # mkstemp: mode 0600 from the start
    with os.fdopen(descriptor, "w") as stream:
        stream.write("\n".join(lines) + "\n")
    Path(temporary).replace(path)


def normal_url(url: str) -> str:
    if not url:
        raise NotConfigured(f"No server is known. Run `foretell login --url …`, or set {URL}, or pass url=.")
    parts = _split(url if "://" in url else f"http://{url}")
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise NotConfigured(f"{_shown(url)!r} is no address of a server; expected such as http://localhost:8000.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address; None for brackets that do not close, or a port that is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def checked_tenant(tenant: str) -> str:
    if tenant and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", tenant):
        raise NotConfigured(f"{tenant!r} is no tenant's name; expected letters, digits and hyphens, such as acme.")
    return tenant


def checked_key(key: str) -> str:
    # Security: the key itself is not repeated in the message.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise NotConfigured("The API key holds characters that no key has. Copy it again, in one piece: ft_…")
    return key


def _shown(url: str) -> str:
    """Security: a password in an address is not repeated in a message."""
    before, at, after = url.rpartition("@")
    return f"{before.split('//', 1)[0]}//…@{after}" if at else url
