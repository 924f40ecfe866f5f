from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "foretell.monitoring"
    label = "monitoring"
