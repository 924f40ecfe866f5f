"""What the registry refuses, and in which words. *Not there* and *not yours* read the same."""

from collections.abc import Sequence

from foretell.core.problems import Fault
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


class ModelExists(ForetellError):
    code = "model_exists"
    kind = "conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a model {name!r} already.")


class ModelArchived(ForetellError):
    code = "model_archived"
    kind = "conflict"

    def __init__(self, name: str) -> None:
        super().__init__(f'The model {name!r} is archived. Restore it first: PATCH it with {{"archived": false}}.')


class VersionNotReady(ForetellError):
    code = "version_not_ready"
    kind = "conflict"


class SignatureMismatch(ForetellError):
    code = "signature_mismatch"
    kind = "conflict"


class NothingToRollBackTo(ForetellError):
    code = "nothing_to_roll_back_to"
    kind = "conflict"


class AliasChanged(ForetellError):
    code = "precondition_failed"


class PreconditionRequired(ForetellError):
    code = "precondition_required"


class NotAllowed(ForetellError):
    code = "permission_denied"


class InvalidPush(ForetellError):
    """Metadata or files that cannot be a push; `faults` names each."""

    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(f"{first['attr']}: {first['detail']}" if first["attr"] else first["detail"])
        self.faults = list(faults)
