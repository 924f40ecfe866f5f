"""Why a prediction is refused before a row is read, in the same words at every face. *Not there* and *not yours* read the same."""

from foretell.errors import ForetellError


class ModelNotFound(ForetellError):
    code = "not_found"

    def __init__(self) -> None:
        super().__init__("Nothing is here, or it is not yours.")


class NoSuchVersion(ForetellError):
    code = "not_found"

    def __init__(self, model: str, number: int) -> None:
        super().__init__(
            f"The model {model!r} has no version {number}. Its versions are listed at …/models/{model}/versions/."
        )


class NoSuchAlias(ForetellError):
    code = "not_found"

    def __init__(self, model: str, alias: str) -> None:
        super().__init__(
            f"The model {model!r} has no alias {alias!r}. Promote a version: `foretell promote {model}:1 --alias {alias}`."
        )


class VersionNotReady(ForetellError):
    code = "version_not_ready"
    kind = "conflict"


class NotAllowed(ForetellError):
    code = "permission_denied"

    def __init__(self, message: str = "Your role, or the scopes of your key, do not include this.") -> None:
        super().__init__(message)


def not_ready(model: str, number: int, state: str, reason: str) -> VersionNotReady:
    """Return the refusal of a version that is being built, or could not be."""
    return VersionNotReady(
        f"{model} version {number} is {state}" + (f": {reason}" if reason else ". Ask again in a moment.")
    )
