from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "foretell.admin.operators"
    label = "operators"
