from django.apps import AppConfig


class InstallationAuditConfig(AppConfig):
    name = "foretell.audit.installation"
    label = "installation_audit"
