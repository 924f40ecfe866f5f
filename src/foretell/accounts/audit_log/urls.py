from django.urls import path

from foretell.accounts.audit_log.views import AuditView, EntryView

app_name = "audit"

urlpatterns = [
    path("api/v1/audit/", AuditView.as_view(), name="entries"),
    path("api/v1/audit/<uuid:entry_id>/", EntryView.as_view(), name="entry"),
]
