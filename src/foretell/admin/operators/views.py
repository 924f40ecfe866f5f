"""Coming in by a link, and leaving."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from foretell.accounts.login_limits import client_of
from foretell.admin.operators.sessions import LinkOver, end, enter, identify, session_of
from foretell.audit.actors import Credential


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def enter_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Open a session; GET shows the button, so that whatever looks at links before people do spends none."""
    if request.method != "POST":
        return render(request, "foretell_admin/enter.html")
    try:
        session, kept = enter(secret=secret, client=client_of(request), now=timezone.now())
    except LinkOver as err:
        return render(request, "foretell_admin/closed.html", {"detail": err.message}, status=404)
    response = redirect("admin:index")
    response.set_cookie(
        settings.OPERATOR_COOKIE_NAME, kept, expires=session.expires_at, path="/", secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return response


@require_POST
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """End the session; who has none sees that it is closed, as everywhere else here."""
    now = timezone.now()
    session = session_of(request.COOKIES.get(settings.OPERATOR_COOKIE_NAME, ""), now=now)
    if session is not None:
        identify(session, Credential.SESSION)
        end(session=session, now=now)
    response = redirect("admin:index")
    response.delete_cookie(settings.OPERATOR_COOKIE_NAME, path="/", samesite="Strict")
    return response
