"""What a link to a new password carries."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from foretell.accounts.models import User
from foretell.core.tenancy import current_tenant


class ResetTokens(PasswordResetTokenGenerator):
    """Django's tokens; Security: of one tenant, and over when the password, the address or the sign-ins of before are."""

    @property
    def key_salt(self) -> str:  # type: ignore[override]  # Django's is one for all
        return f"foretell.password-reset.{current_tenant().id}"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return "\0".join((str(user.pk), user.password, str(user.token_generation), user.email_key, str(timestamp)))

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether a token is this person's; a service account has no password, and who was let out gets none."""
        may_have_one = user is not None and user.is_active and user.is_person
        return may_have_one and super().check_token(user, token)


reset_tokens = ResetTokens()
