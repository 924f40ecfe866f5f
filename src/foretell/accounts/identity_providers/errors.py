"""What is refused when somebody comes by an identity provider, or one is set up."""

from collections.abc import Sequence

from foretell.errors import ForetellError
from foretell.problems import Fault


class ProviderNotFound(ForetellError):
    code = "provider_not_found"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such identity provider in this tenant.")


class InvalidProvider(ForetellError):
    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(fault["detail"] for fault in faults))
        self.faults = list(faults)


class NotLetIn(ForetellError):
    """Somebody whom a provider knows, and whom the tenant does not let in by it."""

    code = "not_let_in"
    kind = "permission_denied"


class LastWayIn(ForetellError):
    code = "last_way_in"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("You sign in by nothing else. Choose a password first, or join another provider.")
