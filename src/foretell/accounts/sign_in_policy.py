"""Whether a password is all that somebody has to show. Whoever takes a password and gives a credential for it asks here."""

from foretell.accounts.models import User
from foretell.errors import ForetellError


class MoreThanPassword(ForetellError):
    """The password was right, and is not enough: a second factor, or a verified e-mail address, is asked for elsewhere."""

    code = "more_than_password"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__("Your password alone is not enough here. Sign in with a browser, and use an API key.")


def is_password_enough(user: User) -> bool:
    """Whether the password alone lets this person in. A service account has keys, and cannot sign in."""
    return user.is_active and user.is_person and user.has_usable_password() and is_email_verified(user)


def is_email_verified(user: User) -> bool:
    """Whether somebody has shown that mail reaches them, or an operator vouched for it. Until then they verify it at each sign-in."""
    return user.email_verified_at is not None


def require_password_is_enough(user: User) -> None:
    """Refuse who has shown the right password only, where more is asked for.

    Raises
    ------
    MoreThanPassword
    """
    if not is_password_enough(user):
        raise MoreThanPassword
