"""What a protocol is to the lane: which addresses are its own, how it answers them, and how it says that something failed."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from foretell.errors import ForetellError
from foretell.serving.exchange import Exchange, Head
from foretell.serving.responses import Response

Handler = Callable[[Exchange], Awaitable[Response]]


class Face(Protocol):
    """One protocol over the one path: a translation, and nothing else."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    def route(self, method: str, path: str) -> Handler | None:
        """Return what answers this address, without the tenant's prefix; None where it is not this protocol's.

        An address that is this protocol's, but not with this method, gets a handler that says so.
        """
        ...

    def takes(self, head: Head) -> bool:
        """Whether this request is for the lane; one that is not goes to Django untouched."""
        ...

    def failure(self, error: ForetellError, exchange: Exchange) -> Response:
        """Return an error in this protocol's own shape."""
        ...
