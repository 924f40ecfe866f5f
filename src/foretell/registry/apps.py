from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "foretell.registry"
    label = "registry"
