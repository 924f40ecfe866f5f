"""Whether an address is the tenant's, as a browser will read it."""

from posixpath import normpath
from urllib.parse import unquote, urlsplit

from foretell.addresses import split_prefix


def stays_below(url: str, root: str) -> bool:
    """Whether a path leads below `root`, which is `/` or a prefix such as `/t/acme/`, and not below another tenant's prefix.

    Security: browsers follow `..`, also as `%2e%2e`, and take a backslash for a slash, before they ask.
    """
    if not url.startswith(root):
        return False
    path = unquote(urlsplit(url).path).replace("\\", "/")
    read = f"/{normpath(path).strip('/')}/"
    return read.startswith(root) and (root != "/" or split_prefix(read) is None)
