from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "foretell.accounts.flows"
    label = "flows"
