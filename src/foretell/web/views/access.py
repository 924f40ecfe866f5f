"""/models/{name}/access/: what a model asks beyond roles, and who was granted what on it."""

from http import HTTPStatus
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from foretell.accounts import grants, people
from foretell.accounts.access import requires
from foretell.accounts.models import ModelGrant
from foretell.accounts.permissions import Action, is_allowed, principal_of
from foretell.registry.models import RegisteredModel
from foretell.web.settings_forms import ConfirmForm, GrantForm, PolicyForm, UserNameField, tried
from foretell.web.views.settings.places import context_of


class TakeForm(ConfirmForm):
    user = UserNameField()


FORMS: dict[str, type[forms.Form]] = {"policy": PolicyForm, "grant": GrantForm, "take": TakeForm}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE)
def access(request: HttpRequest, name: str) -> HttpResponse:
    model = RegisteredModel.objects.filter(name=name).first()
    if model is None:
        raise Http404
    what, sent = request.POST.get("do", ""), None
    if request.method == "POST":
        if what not in FORMS:
            raise Http404
        sent = FORMS[what](request.POST)
        if sent.is_valid() and tried(sent, lambda: _changed(request, what, name, sent.cleaned_data)):
            return redirect("web:access", name)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if sent is not None else HTTPStatus.OK
    return render(request, "web/access.html", context_of(request, **_shown(request, name, what, sent)), status=status)


def _changed(request: HttpRequest, what: str, name: str, fields: dict[str, Any]) -> bool:
    by = principal_of(request)
    if what == "policy":
        grants.change_policy(model=name, by=by, **fields)
    elif what == "grant":
        grants.grant(user=people.named("user", fields["user"]), model=name, actions=fields["actions"], by=by)
    else:
        grants.take_grant(user=people.named("user", fields["user"]), model=name, by=by)
    return True


def _shown(request: HttpRequest, name: str, what: str, sent: forms.Form | None) -> dict[str, Any]:
    policy = grants.policy_of(name)
    said = grants.described_policy(policy)
    return {
        "name": name,
        "grants": ModelGrant.objects.filter(model_name=name).select_related("user").order_by("user__username_key"),
        "policy_form": sent if what == "policy" else PolicyForm(initial=said),
        "grant_form": sent if what == "grant" else GrantForm(),
        "lift_needs_owner": policy.needs_approval and not is_allowed(principal_of(request), Action.OWN),
    }
