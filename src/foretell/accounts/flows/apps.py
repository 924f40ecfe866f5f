from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "foretell.accounts.flows"
    label = "flows"

    def ready(self) -> None:
        from foretell.accounts.flows import seams

        seams.close()
