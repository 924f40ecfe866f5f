"""Django's sessions in the database, in the tenant's schema, sealed with the tenant's id."""

from django.contrib.sessions.backends import db

from foretell.core.tenancy import current_tenant


class SessionStore(db.SessionStore):
    @property
    def key_salt(self) -> str:
        """Security: a row that got into another tenant's schema, by a copy or a mistake, is nobody's session there."""
        return f"foretell.session.{current_tenant().id}"
