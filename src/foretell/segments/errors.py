"""Why a prediction could not be logged."""

from foretell.errors import ForetellError

RETRY_AFTER_S = 5


class LogUnavailable(ForetellError):
    """The record is on no disk, so that a tenant who requires the log gets no answer either."""

    code = "log_unavailable"
    kind = "unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This prediction could not be logged ({reason}), and here none is answered without. Ask again in a moment; "
            "the operator finds the reason in the server's log.",
            retry_after_s=RETRY_AFTER_S,
        )
