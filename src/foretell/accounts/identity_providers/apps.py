from django.apps import AppConfig


class IdentityProvidersConfig(AppConfig):
    name = "foretell.accounts.identity_providers"

    def ready(self) -> None:
        from foretell.accounts.identity_providers import recording  # noqa: F401  its receivers are connected by being imported
