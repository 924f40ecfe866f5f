"""How people come to a tenant: open to all, by invitation, or not at all. Who manages the tenant says so."""

from collections.abc import Callable

from django.db import transaction

from foretell.accounts.errors import of_field
from foretell.accounts.models import SignUp, SignUpPolicy
from foretell.audit.recording import record
from foretell.core.tenancy import current_tenant
from foretell.errors import ForetellError


class SignUpClosed(ForetellError):
    code = "sign_up_closed"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__("Nobody signs up here by themselves. Ask an admin of this team for an invitation.")


class JoiningClosed(ForetellError):
    code = "joining_closed"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("Nobody joins this team at present: its sign-up is closed. An admin can set it to invitation.")


def sign_up_mode() -> SignUp:
    mode = SignUpPolicy.objects.values_list("mode", flat=True).first()
    return SignUp(mode) if mode else SignUp.INVITATION


def is_open() -> bool:
    return sign_up_mode() == SignUp.OPEN


def require_invitations() -> None:
    """Refuse invitations where nobody joins.

    Raises
    ------
    JoiningClosed
    """
    if sign_up_mode() == SignUp.CLOSED:
        raise JoiningClosed


def read_mode(text: str) -> SignUp:
    """Return the mode that a person typed.

    Raises
    ------
    InvalidAccount
    """
    if text not in SignUp.values:
        raise of_field("mode", "invalid", f"Found {text[:40]!r}, expected one of {', '.join(SignUp.values)}.")
    return SignUp(text)


def anything(found: SignUp) -> None:
    """Ask nothing of what was before."""


@transaction.atomic
def set_sign_up(*, mode: SignUp, precondition: Callable[[SignUp], None] = anything) -> SignUp:
    """Say how people come to the tenant at hand; invitations that are open stay, and hold while they are let in."""
    SignUpPolicy.objects.get_or_create(pk=SignUpPolicy.ONLY)
    row = SignUpPolicy.objects.select_for_update().get()
    before, row.mode = SignUp(row.mode), mode
    precondition(before)
    if before != mode:
        row.save()
        tenant = current_tenant()
        record(
            action="tenant.sign_up_changed", target=("tenant", str(tenant.id)), name=tenant.name,
            before={"settings": {"sign_up": before}}, after={"settings": {"sign_up": mode}},
        )  # fmt: skip
    return mode
