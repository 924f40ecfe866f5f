"""Where a link leads."""

from django.conf import settings
from django.urls import reverse


def link_of(secret: str) -> str:
    """Return the address. A proxy that speaks TLS is at its own port; without one, the web processes are at theirs."""
    host = f"[{settings.OPERATORS_HOST}]" if ":" in settings.OPERATORS_HOST else settings.OPERATORS_HOST
    place = f"https://{host}" if settings.USE_HTTPS else f"http://{host}:{settings.PORT}"
    return place + reverse("operators:enter", args=[secret], urlconf=settings.OPERATORS_URLCONF)
