"""Mail in development: read on the console, and kept in files, one for each."""

from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.console import EmailBackend as Console
from django.core.mail.backends.filebased import EmailBackend as Files


class ConsoleAndFiles(BaseEmailBackend):
    """Shows each mail, and keeps it in EMAIL_FILE_PATH."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._backends = [Console(*args, **kwargs), Files(*args, **kwargs)]

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = [backend.send_messages(email_messages) or 0 for backend in self._backends]
        return min(sent)
