"""Where allauth's flows have no setting for what we need. `close` is called once, at the start."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess

from foretell.accounts.flows.limits import take_mail


def close() -> None:
    EmailVerificationProcess.resend = charged(EmailVerificationProcess.resend)


def charged(resend: Callable[[Any], None]) -> Callable[[Any], None]:
    """Charge another code also where allauth sends none, since the address is somebody's.

    Security: else whoever asks often would see by the limit that the first mails went nowhere.
    """

    @wraps(resend)
    def sent_again(process: Any) -> None:
        if process.user is None:
            take_mail(email=process.email)
        resend(process)

    return sent_again
