"""What of a prediction goes into the log, by the model's own policy."""

import msgspec

from foretell.inference.codec import ParsedRows
from foretell.inference.logged import logged_payload
from foretell.serving.catalogue import Model


class Logged(msgspec.Struct, frozen=True):
    """A call's body as it came.

    media_type : what the body is, where it is one of our own API's; "" where another protocol's rows are logged as columns.
    """

    body: bytes
    media_type: str = ""


def inputs_of(
    model: Model, logged: Logged, parsed: ParsedRows, answer: bytes
) -> tuple[bytes | None, str, bytes | None]:
    """Return inputs, their type and outputs as the log keeps them."""
    return logged_payload(
        model.log_payload, model.redacted_inputs, body=logged.body, media_type=logged.media_type, parsed=parsed, answer=answer
    )  # fmt: skip
