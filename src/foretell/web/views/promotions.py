"""/promotions/: promotions that wait for a second person, and what became of the last ones."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from foretell.accounts.access import requires
from foretell.accounts.permissions import Action, is_allowed, may_approve, model_reach, principal_of
from foretell.registry import promotions as services
from foretell.registry.models import PromotionRequest
from foretell.registry.promotion_requests import PromotionRequestQuerySet, RequestState
from foretell.web.settings_forms import DecisionForm, tried
from foretell.web.views.settings.places import context_of

DECIDED_SHOWN = 30
VERBS = {"approve": services.approve, "decline": services.decline, "withdraw": services.withdraw}


@require_http_methods(["GET", "HEAD"])
@requires(Action.READ)
def promotions(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@requires(Action.READ)
def decide(request: HttpRequest, promotion_id: UUID) -> HttpResponse:
    """Decide one; who may is asked of the model that it is about."""
    found = _within(request).filter(pk=promotion_id).first()
    if found is None:
        raise Http404
    form = DecisionForm(request.POST)
    if form.is_valid() and tried(form, lambda: _decided(request, found, **form.cleaned_data)):
        return redirect("web:promotions")
    return _page(request, form=form)


def _decided(request: HttpRequest, found: PromotionRequest, *, verb: str, comment: str) -> bool:
    VERBS[verb](request=found, by=principal_of(request), now=timezone.now(), comment=comment)
    return True


def _page(request: HttpRequest, form: DecisionForm | None = None) -> HttpResponse:
    shown = _within(request)
    context = context_of(
        request,
        waiting=[_row(request, one, timezone.now()) for one in shown.filter(state=RequestState.OPEN)],
        decided=shown.exclude(state=RequestState.OPEN)[:DECIDED_SHOWN],
        faults=[fault for faults in form.errors.values() for fault in faults] if form is not None else [],
    )
    status = HTTPStatus.OK if form is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "web/promotions.html", context, status=status)


def _row(request: HttpRequest, one: PromotionRequest, now: datetime) -> dict[str, Any]:
    by = principal_of(request)
    is_own = one.requested_by_id == by.user.pk and is_allowed(by, Action.PROMOTE, model=one.model.name)
    return {
        "request": one,
        "may_decide": may_approve(by, model=one.model.name, requested_by=one.requested_by, now=now),
        "may_withdraw": is_own,
    }


def _within(request: HttpRequest) -> PromotionRequestQuerySet:
    return PromotionRequest.objects.within(model_reach(principal_of(request))).shown()
