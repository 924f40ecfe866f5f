"""How mail goes out, by one address: EMAIL_URL."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from foretell.env import MalformedVariable

NAME = "EMAIL_URL"
BACKENDS = "django.core.mail.backends"
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
EXPECTED = (
    "smtp://, smtp+tls:// or smtps:// with user:password@host:port, file:///an/absolute/directory, or console://; such as "
    "smtp+tls://foretell:secret@mail.example.com"
)
TIMEOUT_S = 20


def mail_settings(url: str, *, home: Path) -> dict[str, Any]:
    """Return Django's settings for an EMAIL_URL; without one, mail is shown on the console and kept in files: for development.

    Raises
    ------
    MalformedVariable
        which does not repeat the password.
    """
    if not url:
        return {"EMAIL_BACKEND": "foretell.core.mail.ConsoleAndFiles", "EMAIL_FILE_PATH": str(home / "mail")}
    parts = _split(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1:
        return {"EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend", "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme in PORTS and parts.hostname and parts.path in ("", "/") and not parts.query:
        return _smtp(parts)
    raise MalformedVariable(NAME, _shown(parts), EXPECTED)


def _smtp(parts: SplitResult) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT_S,
    }


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise MalformedVariable(NAME, f"{url.partition(':')[0]}:…", EXPECTED) from None
    return parts


def _shown(parts: SplitResult) -> str:
    """Return the address without user and password."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
