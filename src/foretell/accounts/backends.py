"""Signing in by name or by e-mail address, in any case."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from foretell.accounts.flows.signing_up import awaits_verification
from foretell.accounts.login_limits import attempt, client_of
from foretell.core.tenancy import current_tenant


class NameOrEmailBackend(ModelBackend):
    """Django's own backend: `UserManager.get_by_natural_key` finds people by either, and an unknown name costs a hash as a known one does."""

    def authenticate(
        self,
        request: Any,
        username: str | None = None,
        password: str | None = None,
        client: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return whose name and password this is.

        client : the address that asks, where there is no request of Django's to read it from.

        Raises
        ------
        Throttled
            before anything is hashed, after too many that were wrong.
        """
        if username is None or password is None or "\0" in username or "\0" in password:
            return None  # PostgreSQL's texts hold no NUL: such a name belongs to nobody
        tenant, address = current_tenant(), client_of(request) if client is None else client
        with attempt(tenant_id=str(tenant.id), account=username, client=address) as one:
            user = super().authenticate(request, username=username, password=password, **kwargs)
            if user is None or awaits_verification(user):
                one.failed()
                return None
        return user

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether somebody signs in at all: a service account does not, whatever its row says of a password."""
        return user.is_person and super().user_can_authenticate(user)
