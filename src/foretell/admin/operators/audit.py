"""The installation's own audit; only read."""

from django.db.models import QuerySet
from django.http import HttpRequest

from foretell.admin.tenant.audit import AuditAdmin
from foretell.audit.installation.models import InstallationEntry


class InstallationEntryAdmin(AuditAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[InstallationEntry]:
        return InstallationEntry.objects.exclude(position=None).order_by("-position")
