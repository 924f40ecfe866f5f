from django.apps import AppConfig


class SecondFactorConfig(AppConfig):
    name = "foretell.accounts.second_factor"

    def ready(self) -> None:
        from foretell.accounts.second_factor import recording, seams  # noqa: F401  receivers are connected by being imported

        seams.close()
