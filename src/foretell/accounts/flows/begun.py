"""A sign-in that was begun, and waits for a code or a second factor: it is over when its person's sessions are."""

from django.http import HttpRequest

from foretell.accounts.models import User
from foretell.errors import ForetellError

BEGUN = "foretell_sign_in_begun"


class SignInOver(ForetellError):
    code = "sign_in_over"
    kind = "permission_denied"

    def __init__(self) -> None:
        super().__init__(
            "This sign-in is over: your password, or where you are signed in, was changed meanwhile. Sign in again."
        )


def begin(request: HttpRequest, user: User) -> None:
    """Note the generation that a first step was taken in; hashing a password anew has perhaps just raised it."""
    user.refresh_from_db(fields=["token_generation"])
    request.session[BEGUN] = user.token_generation


def complete(request: HttpRequest, user: User) -> None:
    """Let somebody in whose last step was taken.

    Security: a password that was right before it was reset opens nothing behind the second step either.

    Raises
    ------
    SignInOver
    """
    from allauth.account.internal.stagekit import clear_login

    user.refresh_from_db(fields=["token_generation", "is_active"])
    if request.session.pop(BEGUN, None) != user.token_generation or not user.is_active:
        clear_login(request)
        raise SignInOver
