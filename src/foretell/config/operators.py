"""Where the operators' admin is, as the environment has it."""

from foretell.addresses import normalised_host
from foretell.env import MalformedVariable


def operators_host(name: str, found: str) -> str:
    """Return the host in one form; "" where there is none."""
    if not found:
        return ""
    host = normalised_host(found)
    if host is None or host != found.lower().rstrip("."):
        raise MalformedVariable(name, found, "a host name without a port, such as operators.example.com")
    return host
