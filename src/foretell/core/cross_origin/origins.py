"""What an origin is: scheme, host and port, as a browser writes them (RFC 6454)."""

import re
from urllib.parse import urlsplit

ANY = "*"
MAX_CHARS = 255
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
DEFAULT_PORTS = {"http": 80, "https": 443}


def normalised_origin(text: str) -> str | None:
    """Return the origin as browsers send it; None where it is none: one with a path, say."""
    if text == ANY:
        return ANY
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment and not text.endswith(("?", "#"))
    if parts.scheme not in DEFAULT_PORTS or not is_bare or not HOST.fullmatch(host.lower()) or len(text) > MAX_CHARS:
        return None
    shown = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host.lower()}{shown}"
