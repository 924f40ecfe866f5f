"""What the registry refuses when models are made and changed; what predictions are refused for is in `foretell.refusals`."""

from collections.abc import Sequence

from foretell.errors import ForetellError
from foretell.problems import Fault


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


class InvalidPush(ForetellError):
    """Metadata or files that cannot be a push; `faults` names each."""

    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(f"{first['attr']}: {first['detail']}" if first["attr"] else first["detail"])
        self.faults = list(faults)
