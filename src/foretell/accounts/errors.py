"""What is refused when people, keys, invitations and grants are made and changed."""

from collections.abc import Sequence
from datetime import timedelta

from foretell.errors import ForetellError
from foretell.problems import Fault


class InvalidAccount(ForetellError):
    """A user, key, grant or invitation that cannot be made as asked; `faults` names each field."""

    code = "invalid_account"
    kind = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault['attr']}: {fault['detail']}" for fault in faults))
        self.faults = list(faults)


class AccountExists(ForetellError):
    code = "account_exists"
    kind = "conflict"


class AddressTaken(AccountExists):
    """Somebody has the e-mail address. Security: whoever signs up is not told."""


class AccountNotFound(ForetellError):
    code = "account_not_found"
    kind = "not_found"


class LastOwner(ForetellError):
    code = "last_owner"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("This is the tenant's last owner. Make somebody else an owner first.")


class NoPerson(ForetellError):
    code = "no_person"
    kind = "conflict"


class WrongPassword(ForetellError):
    """Asked for once more, before what could lock its owner out; told like any other field that is wrong."""

    code = "invalid"

    def __init__(self) -> None:
        super().__init__("current_password: This is not your password.")
        self.faults = [Fault(attr="current_password", code="wrong_password", detail="This is not your password.")]


class KeyEnded(ForetellError):
    code = "key_ended"
    kind = "conflict"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The key {key_id} was revoked, or has expired. Make a new one.")


class KeyRolled(ForetellError):
    code = "key_rolled"
    kind = "conflict"

    def __init__(self, key_id: str, successor: str) -> None:
        super().__init__(f"The key {key_id} was rolled before: {successor} has taken its place. Roll that one.")


class TooManyKeys(ForetellError):
    code = "too_many_keys"
    kind = "conflict"

    def __init__(self, maximum: int) -> None:
        super().__init__(f"Nobody has more than {maximum} keys that are valid. Revoke one that is not used any more.")


class InvitationExists(ForetellError):
    code = "invitation_exists"
    kind = "conflict"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} was invited at this very moment. Look at the list of invitations.")


class InvitationOver(ForetellError):
    """One answer for all: forged, of another tenant, expired, revoked, accepted before."""

    code = "invitation_over"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is not valid, or not any more: each is for one person, one tenant and a few days. Ask for another one."
        )


def of_field(attr: str, code: str, detail: str) -> InvalidAccount:
    return InvalidAccount([Fault(attr=attr, code=code, detail=detail)])


def in_words(length: timedelta) -> str:
    days = length / timedelta(days=1)
    return f"{days:g} days" if days != 1 else "1 day"
