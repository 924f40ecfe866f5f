"""Signing in by name or by e-mail address, in any case."""

from typing import Any

from django.contrib.auth.backends import ModelBackend


class NameOrEmailBackend(ModelBackend):
    """Django's own backend: `UserManager.get_by_natural_key` finds people by either, and an unknown name costs a hash as a known one does."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if username is None or password is None or "\0" in username or "\0" in password:
            return None  # PostgreSQL's texts hold no NUL: such a name belongs to nobody
        return super().authenticate(request, username=username, password=password, **kwargs)
