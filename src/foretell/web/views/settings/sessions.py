"""/settings/sessions/: where one is signed in."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from foretell.accounts.access import requires
from foretell.accounts.flows import sessions as services
from foretell.accounts.permissions import Action, principal_of
from foretell.web.views.settings.places import context_of


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_SELF)
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """List them; POST signs out everywhere else, or everywhere."""
    user = principal_of(request).user
    if request.method != "POST":
        found = services.sessions_of(user, current_key=request.session.session_key, now=timezone.now())
        return render(request, "web/settings/sessions.html", context_of(request, sessions=found))
    if request.POST.get("do") == "everywhere":
        services.end_all(user=user)
        logout(request)
        return redirect("web:login")
    services.end_others(request=request, user=user)
    return redirect("web:sessions")


@require_POST
@requires(Action.MANAGE_SELF)
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    services.end_session(user=principal_of(request).user, id=session_id, now=timezone.now())
    return redirect("web:sessions")
