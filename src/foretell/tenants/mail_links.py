"""Where links in mails lead that a stranger has asked for: to the tenant, whatever the request's Host header says."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix

from foretell.addresses import normalised_host
from foretell.core.tenancy import current_tenant
from foretell.tenants.resolving import tenant_of_host

LOOPBACK = ("localhost", "127.0.0.1", "::1")  # the reader's own machine: nobody waits there for what is theirs


def root_for_mail(request: HttpRequest) -> str:
    """Return the address of the tenant's root, for a link in a mail to somebody else than who asks.

    Security: below `/t/<tenant>/` a request may have any Host, also one whose owner waits there for the link, be it a tenant's own domain. So
    the host is taken up where it is the installation's, and else the tenant's own is named.
    """
    host, prefix = normalised_host(request.META.get("HTTP_HOST", "")), get_script_prefix()
    if host is not None and (prefix == "/" or _is_installations(host)):
        return request.build_absolute_uri(prefix)
    name = f"{current_tenant().name}.{settings.BASE_DOMAIN}"
    return f"https://{name}/" if settings.USE_HTTPS else f"http://{name}:{settings.PORT}/"


def _is_installations(host: str) -> bool:
    """Whether a host is nobody's but the operator's: the base domain, or one that ALLOWED_HOSTS names and that is no tenant's."""
    if host == settings.BASE_DOMAIN or host in LOOPBACK:
        return True
    return host in settings.ALLOWED_HOSTS and tenant_of_host(host) is None
