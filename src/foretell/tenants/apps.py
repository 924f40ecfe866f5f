from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "foretell.tenants"
    label = "tenants"
