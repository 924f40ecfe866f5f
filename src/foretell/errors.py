"""The words that every room uses to say that something went wrong. No framework, no HTTP."""

from typing import Any

MAX_MESSAGE_CHARS = 2_000  # a converter's error text can be megabytes long


class ForetellError(Exception):
    """Base of every error that Foretell raises on purpose.

    Parameters
    ----------
    message
        What was found, what was expected and the way out, in words for a person. Cut to 2,000 characters.
    code
        Stable, snake_case, for programs; a subclass's own ``code`` unless given.
    **details
        Facts that a program may want, JSON-serialisable.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        message = shortened(message)
        super().__init__(message)
        self.message = message
        self.details = details
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return self.message


def shortened(text: str, limit: int = MAX_MESSAGE_CHARS) -> str:
    """Cut `text` to `limit` characters, and say so where it was cut."""
    if len(text) <= limit:
        return text
    return text[: limit - 16].rstrip() + " … (shortened)"
