"""Leaving the tenant, and handing it over."""

from http import HTTPStatus

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from foretell.accounts import members, people
from foretell.accounts.access import requires
from foretell.accounts.permissions import Action, principal_of
from foretell.web.settings_forms import LeaveForm, TransferForm, tried
from foretell.web.views.settings.places import context_of

PAGES = require_http_methods(["GET", "HEAD", "POST"])


@PAGES
@requires(Action.MANAGE_SELF)
def leave(request: HttpRequest) -> HttpResponse:
    form = LeaveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["username"] != request.user.get_username():
            form.add_error("username", _("This is not your user name."))
        elif tried(form, lambda: _left(request)):
            logout(request)
            return redirect("web:login")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "web/settings/leave.html", context_of(request, form=form), status=status)


@PAGES
@requires(Action.OWN)
def transfer(request: HttpRequest) -> HttpResponse:
    form = TransferForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        to = form.cleaned_data["to"]
        done = tried(form, lambda: members.transfer_ownership(to=people.named("to", to), by=principal_of(request)))
        if done is not None:
            return redirect("web:member", done.pk)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "web/settings/transfer.html", context_of(request, form=form), status=status)


def _left(request: HttpRequest) -> bool:
    members.leave(by=principal_of(request), now=timezone.now())
    return True
