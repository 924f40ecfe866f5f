from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "foretell.audit"
    label = "audit"
