"""What can go wrong between a program and a Foretell server.

::

    ForetellError
    └── ClientError
        ├── NotConfigured            no server, no key, or a settings file that cannot be used
        ├── InvalidArgument          a call that cannot become a request
        ├── ConnectionFailed         the server was not reached
        │   └── TimedOut             … or did not answer in time
        ├── UnexpectedReply          something answered, and it was not Foretell
        ├── BuildFailed              a pushed version cannot be served; says why
        ├── BuildTimedOut            a pushed version is still being built
        └── RequestRefused           the server's own words, with its code and the request's id
            ├── InvalidRequest       the input is wrong; `errors` names each fault
            ├── NotAuthenticated     no key, or one that is not known
            ├── PermissionDenied     a key or a role that may not do this
            ├── NotFound             not there, or not yours
            ├── Conflict             it exists already, changed meanwhile, or is not ready
            ├── TooManyRequests      over a limit; `retry_after_s` says when to come back
            ├── ServerUnavailable    not now; `retry_after_s` may say when
            └── ServerBroken         an error of the server; the request's id finds it in its log
"""

from dataclasses import dataclass
from typing import Any

from foretell.errors import ForetellError


class ClientError(ForetellError):
    """Base of the family. `kind` is the general word where `code`, the server's own, may be more telling."""

    code = "client_error"
    kind = "error"


class NotConfigured(ClientError):
    code = "not_configured"


class InvalidArgument(ClientError):
    code = "invalid_argument"
    kind = "invalid"


class ConnectionFailed(ClientError):
    """The server was not reached.

    is_unsent : the request certainly never left, so that sending it again does nothing twice.
    """

    code = "connection_failed"
    kind = "unavailable"

    def __init__(self, message: str, *, is_unsent: bool = False) -> None:
        super().__init__(message)
        self.is_unsent = is_unsent


class TimedOut(ConnectionFailed):
    code = "timed_out"


class UnexpectedReply(ClientError):
    code = "unexpected_reply"


class BuildFailed(ClientError):
    """A version that was pushed and cannot be served. `code` is the reason's, such as ``not_fitted``."""

    code = "build_failed"
    kind = "invalid"


class BuildTimedOut(ClientError):
    code = "build_timed_out"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where, what kind, and in words."""

    attr: str  #: such as ``instances.3.petal length (cm)``; "" for the request as a whole
    code: str
    detail: str


class RequestRefused(ClientError):
    """The server answered, and the answer is no.

    Attributes
    ----------
    status : int
        The HTTP status.
    code : str
        The server's stable word for it, such as ``not_found``.
    errors : tuple of Fault
        Every fault that it found; empty where there is nothing to list.
    request_id : str
        Finds the request in the server's log; "" where the server named none.
    retry_after_s : float, optional
        When to come back, where the server said.
    """

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        errors: tuple[Fault, ...] = (),
        request_id: str = "",
        retry_after_s: float | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, code=code, **details)
        self.status = status
        self.errors = errors
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class InvalidRequest(RequestRefused):
    code = "invalid"
    kind = "invalid"


class NotAuthenticated(RequestRefused):
    code = "not_authenticated"
    kind = "not_authenticated"


class PermissionDenied(RequestRefused):
    code = "permission_denied"
    kind = "permission_denied"


class NotFound(RequestRefused):
    code = "not_found"
    kind = "not_found"


class Conflict(RequestRefused):
    code = "conflict"
    kind = "conflict"


class TooManyRequests(RequestRefused):
    code = "throttled"
    kind = "unavailable"


class ServerUnavailable(RequestRefused):
    code = "unavailable"
    kind = "unavailable"


class ServerBroken(RequestRefused):
    code = "error"
