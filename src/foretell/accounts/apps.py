from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "foretell.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Listen to who signs in and out."""
        import foretell.accounts.signing_in  # noqa: F401
