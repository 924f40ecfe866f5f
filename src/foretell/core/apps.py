from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "foretell.core"
    label = "core"

    def ready(self) -> None:
        from foretell.core import checks  # noqa: F401  importing registers them
