"""The page of one model: its form, and what the model answers to it."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from foretell.accounts import limiting
from foretell.accounts.access import requires
from foretell.accounts.permissions import Action, is_allowed, principal_of
from foretell.errors import ForetellError
from foretell.inference.codec.form_rows import parse_form
from foretell.inference.errors import InvalidInput
from foretell.inference.logged import Asked
from foretell.problems import retry_after_s, status_of
from foretell.registry.catalogue import scope_of_model
from foretell.registry.models import RegisteredModel
from foretell.registry.predicting import predict
from foretell.web.forms import PredictionForm, ShownProblem, example_of, form_for
from foretell.web.outcomes import outcome_of
from foretell.web.shown import (
    form_address,
    has_example,
    model_facts,
    predict_address,
    shown_target,
    shown_versions,
    unavailable_text,
)
from foretell.web.targets import Target, target_of


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.PREDICT)
def try_model(request: HttpRequest, name: str) -> HttpResponse:
    model = get_object_or_404(RegisteredModel, name=name, archived_at=None)
    target = target_of(model, request.GET)
    if target is None:
        return _unavailable(request, model)
    if request.method == "POST":
        return _answer(request, model, target)
    initial = example_of(target.signature) if "example" in request.GET else None
    return _page(request, model, target, form=form_for(target.signature)(initial=initial))


def _answer(request: HttpRequest, model: RegisteredModel, target: Target) -> HttpResponse:
    form = form_for(target.signature)(request.POST)
    try:
        limiting.take(principal_of(request), scope_of_model(model.name))
        prediction = predict(
            principal=principal_of(request),
            model=target.model,
            alias=target.alias,
            version=target.version,
            parse=lambda signature: parse_form(signature, form.values),
            asked=Asked("form"),
        )
    except InvalidInput as error:
        return _invalid(request, model, target, form, error)
    except ForetellError as error:
        return _failed(request, model, target, form, error)
    answer = outcome_of(prediction, predict_url=predict_address(request, target))
    return _page(request, model, target, form=form, answer=answer)


def _invalid(
    request: HttpRequest, model: RegisteredModel, target: Target, form: PredictionForm, error: InvalidInput
) -> HttpResponse:
    form.report(error.problems)
    count = len(error.problems)
    title = ngettext("%(count)d input has to be put right", "%(count)d inputs have to be put right", count) % {
        "count": count
    }
    return _page(
        request,
        model,
        target,
        form=form,
        problems=form.shown_problems(),
        problems_title=title,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _failed(
    request: HttpRequest, model: RegisteredModel, target: Target, form: PredictionForm, error: ForetellError
) -> HttpResponse:
    """Say why there is no answer, above the form as it was filled in; what is not there or not allowed has its own page."""
    status = status_of(error)
    if status == HTTPStatus.NOT_FOUND:
        raise Http404 from error
    if status == HTTPStatus.FORBIDDEN:
        raise PermissionDenied from error
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    problems = [ShownProblem(detail=error.message)]
    response = _page(
        request,
        model,
        target,
        form=form,
        problems=problems,
        problems_title=_("The model could not answer"),
        status=status,
    )
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        response.headers["Retry-After"] = str(retry_after_s(error))
    return response


def _page(
    request: HttpRequest, model: RegisteredModel, target: Target, *, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    context |= {
        "model": model_facts(model),
        "target": shown_target(model, target),
        "versions": shown_versions(request, model),
        "action": form_address(request),
        "example_url": form_address(request, example=1) if has_example(target) else "",
        "grants": is_allowed(principal_of(request), Action.MANAGE, model=model.name),
    }
    return render(request, "web/model.html", context, status=status)


def _unavailable(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    versions = shown_versions(request, model)
    context = {"model": model_facts(model), "versions": versions, "unavailable": unavailable_text(versions)}
    return render(request, "web/model.html", context)
