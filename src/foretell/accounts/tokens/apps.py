from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "foretell.accounts.tokens"
    label = "tokens"

    def ready(self) -> None:
        """Stop the start where the function for custom claims cannot be found, not the first sign-in."""
        from foretell.accounts.tokens.custom_claims import claims_function

        claims_function()
