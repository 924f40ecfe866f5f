"""/settings/keys/: one's API keys; for an admin, those of whom they manage as well."""

from http import HTTPStatus

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from foretell.accounts import api_keys, people
from foretell.accounts.access import requires
from foretell.accounts.models import APIKey
from foretell.accounts.permissions import Action, managed_roles, may_hold_keys, may_see_keys, principal_of
from foretell.accounts.serializers import state_of
from foretell.web.settings_forms import ConfirmForm, KeyForm, RollForm, tried
from foretell.web.views.settings.places import context_of, page_of

PAGES = require_http_methods(["GET", "HEAD", "POST"])


@PAGES
@requires(Action.MANAGE_SELF)
@never_cache
def keys(request: HttpRequest) -> HttpResponse:
    principal, now = principal_of(request), timezone.now()
    form = KeyForm(request.POST or None, manages=bool(managed_roles(principal)))
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        owner = fields.get("user")
        made = tried(
            form,
            lambda: api_keys.create_key(
                user=people.named("user", owner) if owner else principal.user, name=fields["name"], scopes=fields["scopes"],
                models=fields["models"], expires_at=form.expires_at(now), by=principal, now=now,
            ),
        )  # fmt: skip
        if made is not None:
            return _shown_once(request, *made)
    return _listed(request, form)


@PAGES
@requires(Action.MANAGE_SELF)
@never_cache
def roll_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """Put a new key in the place of one; GET asks how."""
    key, form = _key(request, key_id), RollForm(request.POST or None)
    if not may_hold_keys(principal_of(request), key.user):
        raise Http404
    if request.method == "POST" and form.is_valid():
        made = tried(
            form,
            lambda: api_keys.roll_key(key=key, now=timezone.now(), grace=form.grace(), by=principal_of(request)),
        )
        if made is not None:
            return _shown_once(request, *made)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "web/settings/key_roll.html", context_of(request, key=key, form=form), status=status)


@PAGES
@requires(Action.MANAGE_SELF)
def revoke_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """End a key; GET asks whether that is meant."""
    key = _key(request, key_id)
    if request.method != "POST":
        return render(request, "web/settings/key_revoke.html", context_of(request, key=key, form=ConfirmForm()))
    api_keys.revoke_key(key=key, now=timezone.now(), by=principal_of(request))
    return redirect("web:keys")


def _listed(request: HttpRequest, form: KeyForm) -> HttpResponse:
    principal, now = principal_of(request), timezone.now()
    page = page_of(Paginator(_visible(request), 50), request)
    rows = [
        {"key": key, "state": state_of(key, now), "may_hold": may_hold_keys(principal, key.user), "mine": key.user_id == principal.user.pk}
        for key in page
    ]  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(
        request, "web/settings/keys.html", context_of(request, rows=rows, page=page, form=form), status=status
    )


def _shown_once(request: HttpRequest, key: APIKey, secret: str) -> HttpResponse:
    return render(request, "web/settings/key_made.html", context_of(request, key=key, secret=secret))


def _visible(request: HttpRequest) -> QuerySet[APIKey]:
    principal = principal_of(request)
    reach = Q(user_id=principal.user.pk) | Q(user__role__in=managed_roles(principal))
    rows = APIKey.objects.filter(reach, user__removed_at=None).select_related("user").order_by("-created_at", "pk")
    words = request.GET.get("q", "").replace("\0", "")[:100].split()
    return rows.filter(*(Q(name__icontains=word) | Q(user__username__icontains=word) | Q(pk__startswith=word) for word in words))  # fmt: skip


def _key(request: HttpRequest, key_id: str) -> APIKey:
    found = APIKey.objects.select_related("user").filter(pk=key_id, user__removed_at=None).first()
    if found is None or not may_see_keys(principal_of(request), found.user):
        raise Http404
    return found
