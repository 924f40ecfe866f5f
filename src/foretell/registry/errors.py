"""What the registry refuses when models are made and changed; what predictions are refused for is in `foretell.refusals`."""

from collections.abc import Iterable, Sequence

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


class UnknownLimitScope(ForetellError):
    code = "invalid"

    def __init__(self, scope: str, known: Iterable[str]) -> None:
        expected = ", ".join(sorted(known)) or "none: FORETELL_LIMIT_SCOPES names none"
        super().__init__(f"limit_scope: There is no limit {scope!r}. Expected one of {expected}; or the empty text.")
        self.faults = [Fault(attr="limit_scope", code="unknown_limit_scope", detail=self.message)]


class SignatureMismatch(ForetellError):
    code = "signature_mismatch"
    kind = "conflict"


class ApprovalRequired(ForetellError):
    code = "approval_required"
    kind = "conflict"

    def __init__(self, model: str) -> None:
        super().__init__(f"A promotion of {model!r} needs a second person. Ask for it: `foretell promote` does.")


class AliasExists(ForetellError):
    code = "alias_exists"
    kind = "conflict"

    def __init__(self, model: str, alias: str) -> None:
        super().__init__(f"The model {model!r} has an alias {alias!r} already. PUT moves it.")


class VersionInUse(ForetellError):
    code = "version_in_use"
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
