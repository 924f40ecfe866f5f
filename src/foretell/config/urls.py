"""All addresses of a tenant. Each room has its own list; which tenant it is was decided before (tenants.middleware)."""

from django.urls import include, path

from foretell.admin.tenant.site import tenant_site

urlpatterns = [
    path("", include("foretell.accounts.urls")),
    path("", include("foretell.accounts.flows.headless.urls")),
    path("", include("foretell.accounts.tokens.urls")),
    path("", include("foretell.accounts.audit_log.urls")),
    path("", include("foretell.registry.urls")),
    path("", include("foretell.monitoring.urls")),
    path("", include("foretell.web.urls")),
    path("admin/", tenant_site().urls),
    path("", include("foretell.web.account_urls")),
    path("", include("foretell.web.security_urls")),
    path("", include("foretell.accounts.identity_providers.urls")),
]

handler400 = "foretell.config.errors.bad_request"
handler403 = "foretell.config.errors.forbidden"
handler404 = "foretell.config.errors.not_found"
handler500 = "foretell.config.errors.server_error"
