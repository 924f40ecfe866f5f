"""/settings/members/: people and service accounts; their roles, and whether they are let in."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from foretell.accounts import members as services
from foretell.accounts import people
from foretell.accounts.access import requires
from foretell.accounts.models import User
from foretell.accounts.permissions import (
    Action,
    Principal,
    managed_roles,
    may_manage,
    may_reset_second_factor,
    principal_of,
)
from foretell.accounts.roles import Role
from foretell.accounts.second_factor.services import has_second_factor, reset_second_factor
from foretell.web.settings_forms import ConfirmForm, ResponsibleForm, RoleForm, ServiceAccountForm, tried
from foretell.web.views.settings.places import context_of, page_of

PAGES = require_http_methods(["GET", "HEAD", "POST"])


@PAGES
@requires(Action.MANAGE)
def members(request: HttpRequest) -> HttpResponse:
    principal, form = principal_of(request), ServiceAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = tried(
            form,
            lambda: people.create_service_account(**form.cleaned_data, responsible=principal.user, by=principal),
        )
        if made is not None:
            return redirect("web:member", made.pk)
    words = request.GET.get("q", "").replace("\0", "")[:100].split()
    found = User.objects.members().select_related("responsible").order_by("username_key")
    found = found.filter(*(Q(username__icontains=word) | Q(email__icontains=word) for word in words))
    context = context_of(request, page=page_of(Paginator(found, 50), request), form=form)
    return render(request, "web/settings/members.html", context, status=_status(form))


@PAGES
@requires(Action.MANAGE)
def member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    user, principal = _member(user_id), principal_of(request)
    form = _form(request, user, managed_roles(principal))
    if request.method == "POST" and form.is_valid():
        changed = tried(form, lambda: _changes(request, user, form.cleaned_data)())
        if changed is not None:
            return redirect("web:member", user.pk)
    context = context_of(request, **_shown(user, form, request))
    return render(request, "web/settings/member.html", context, status=_status(form))


@PAGES
@requires(Action.MANAGE)
def remove_member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take somebody out; GET asks whether that is meant."""
    user, form = _member(user_id), ConfirmForm(request.POST or None)
    if request.method == "POST":
        form.is_valid()
        if tried(form, lambda: _removed(request, user)):
            return redirect("web:members")
    return render(
        request, "web/settings/member_remove.html", context_of(request, member=user, form=form), status=_status(form)
    )


def _removed(request: HttpRequest, user: User) -> bool:
    services.remove_user(user=user, by=principal_of(request), now=timezone.now())
    return True


def _form(request: HttpRequest, user: User, roles: list[str]) -> forms.Form:
    """Return the form that was sent, by what its button does."""
    roles = [role for role in roles if user.is_person or role != Role.OWNER]
    what = request.POST.get("do") if request.method == "POST" else "role"
    if what == "role":
        return RoleForm(request.POST or None, roles=roles, initial={"role": user.role})
    return ResponsibleForm(request.POST) if what == "responsible" else ConfirmForm(request.POST)


def _changes(request: HttpRequest, user: User, fields: dict[str, Any]) -> Callable[[], object]:
    by = principal_of(request)
    if "role" in fields:
        return lambda: services.change_role(user=user, role=fields["role"], by=by)
    if "responsible" in fields:
        return lambda: services.change_responsible(
            user=user, responsible=people.named("responsible", fields["responsible"]), by=by
        )
    if request.POST.get("do") == "deactivate":
        return lambda: services.deactivate_user(user=user, by=by)
    if request.POST.get("do") == "reactivate":
        return lambda: services.reactivate_user(user=user, by=by)
    if request.POST.get("do") == "reset-mfa":
        return lambda: _without_second_factor(user, by)
    raise Http404


def _without_second_factor(user: User, by: Principal) -> User:
    reset_second_factor(user=user, by=by)
    return user


def _shown(user: User, form: forms.Form, request: HttpRequest) -> dict[str, Any]:
    principal = principal_of(request)
    roles = [role for role in managed_roles(principal) if user.is_person or role != Role.OWNER]
    return {
        "member": user,
        "may_change": may_manage(principal, user.role),
        "has_second_factor": has_second_factor(user),
        "may_reset_mfa": may_reset_second_factor(principal, user),
        "role_form": form if isinstance(form, RoleForm) else RoleForm(roles=roles, initial={"role": user.role}),
        "responsible_form": form if isinstance(form, ResponsibleForm) else ResponsibleForm(initial={"responsible": user.responsible}),
        "form": form,
    }  # fmt: skip


def _member(user_id: UUID) -> User:
    found = User.objects.members().select_related("responsible").filter(pk=user_id).first()
    if found is None:
        raise Http404
    return found


def _status(form: forms.Form) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
