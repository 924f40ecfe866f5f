"""/settings/invitations/: who is asked to come; and the page where whoever was asked comes in."""

from http import HTTPStatus
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from foretell.accounts import invitations as services
from foretell.accounts.access import requires
from foretell.accounts.errors import InvitationOver
from foretell.accounts.flows.joining import sign_up_mode
from foretell.accounts.invitation_mail import base_of, link_of, post_invitation
from foretell.accounts.models import Invitation, User
from foretell.accounts.permissions import Action, managed_roles, principal_of
from foretell.accounts.serializers import shown_state
from foretell.web.settings_forms import ComingForm, ConfirmForm, InvitationForm, tried
from foretell.web.views.settings.places import context_of, page_of

PAGES = require_http_methods(["GET", "HEAD", "POST"])


@PAGES
@requires(Action.MANAGE)
@never_cache
def invitations(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None, roles=managed_roles(principal_of(request)))
    link = ""
    if request.method == "POST" and form.is_valid():
        made = tried(form, lambda: _invited(request, form))
        if made is not None:
            link, form = (
                link_of(made, base=base_of(request)),
                InvitationForm(roles=managed_roles(principal_of(request))),
            )
    found = Invitation.objects.select_related("invited_by", "accepted_by").order_by("-id")
    page, now, mode = page_of(Paginator(found, 50), request), timezone.now(), sign_up_mode()
    rows = [{"invitation": invitation, "state": shown_state(invitation, now, mode=mode)} for invitation in page]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = context_of(request, rows=rows, page=page, form=form, link=link)
    return render(request, "web/settings/invitations.html", context, status=status)


@PAGES
@requires(Action.MANAGE)
def revoke_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back; GET asks whether that is meant."""
    found = Invitation.objects.select_related("invited_by").filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        context = context_of(request, invitation=found, form=ConfirmForm())
        return render(request, "web/settings/invitation_revoke.html", context)
    services.revoke_invitation(invitation=found, now=timezone.now(), by=principal_of(request))
    return redirect("web:invitations")


@PAGES
@never_cache
def come(request: HttpRequest, token: str) -> HttpResponse:
    """Come in by invitation: choose a name and a password. Open to all: the link is what one has to show."""
    form = ComingForm(request.POST or None)
    try:
        invitation = services.read_token(token, now=timezone.now())
        is_sent = request.method == "POST" and form.is_valid()
        if is_sent and tried(form, lambda: _accepted(token, form)) is not None:
            return redirect("web:login")
    except InvitationOver as err:
        return render(request, "web/invitation_over.html", {"detail": err.message}, status=HTTPStatus.NOT_FOUND)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "web/come.html", {"invitation": invitation, "form": form}, status=status)


def _accepted(token: str, form: ComingForm) -> User:
    return services.accept_invitation(token=token, **form.cleaned_data, now=timezone.now())


@transaction.atomic
def _invited(request: HttpRequest, form: InvitationForm) -> Invitation:
    made = services.invite(**form.cleaned_data, by=principal_of(request), now=timezone.now())
    post_invitation(made, base=base_of(request))
    return made
