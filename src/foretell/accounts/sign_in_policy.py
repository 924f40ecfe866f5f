"""Whether a password is all that somebody has to show. Whoever takes a password and gives a credential for it asks here."""

from foretell.accounts.models import User
from foretell.accounts.second_factor.codes import verify_code
from foretell.accounts.second_factor.services import has_second_factor
from foretell.errors import ForetellError


class MoreThanPassword(ForetellError):
    """The password was right, and is not enough: a second factor, or a verified e-mail address, is asked for elsewhere."""

    code = "more_than_password"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__("Your password alone is not enough here. Sign in with a browser, and use an API key.")


class CodeNeeded(ForetellError):
    code = "code_needed"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__(
            "Your account has a second factor. Send `code` as well: that of your authenticator app, or a recovery code."
        )


class WrongCode(ForetellError):
    code = "wrong_code"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__("This code is wrong, or was used before. An app shows the next one within half a minute.")


def is_password_enough(user: User) -> bool:
    """Whether the password alone lets this person in. A service account has keys, and cannot sign in."""
    return _is_let_in(user) and not has_second_factor(user)


def is_email_verified(user: User) -> bool:
    """Whether somebody has shown that mail reaches them, or an operator vouched for it. Until then they verify it at each sign-in."""
    return user.email_verified_at is not None


def _is_let_in(user: User) -> bool:
    return user.is_active and user.is_person and user.has_usable_password() and is_email_verified(user)


def require_code_beside_password(user: User, code: str) -> None:
    """Refuse who has shown the right password, and not the code of a second factor that they have; a code is used up.

    Raises
    ------
    MoreThanPassword, CodeNeeded, WrongCode
    Throttled
        after too many codes that were wrong.
    """
    if is_password_enough(user):
        return
    if not _is_let_in(user) or not has_second_factor(user):
        raise MoreThanPassword
    if not code:
        raise CodeNeeded
    if verify_code(user=user, code=code) is None:
        raise WrongCode


def require_password_is_enough(user: User) -> None:
    """Refuse who has shown the right password only, where more is asked for.

    Raises
    ------
    MoreThanPassword
    """
    if not is_password_enough(user):
        raise MoreThanPassword
