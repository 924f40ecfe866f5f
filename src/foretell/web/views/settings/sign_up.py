"""/settings/sign-up/: how people come to this team."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from foretell.accounts.access import requires
from foretell.accounts.flows.joining import set_sign_up, sign_up_mode
from foretell.accounts.models import SignUp
from foretell.accounts.permissions import Action
from foretell.web.settings_forms import SignUpPolicyForm
from foretell.web.views.settings.places import context_of


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE)
def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpPolicyForm(request.POST or None, initial={"mode": sign_up_mode()})
    if request.method == "POST" and form.is_valid():
        set_sign_up(mode=SignUp(form.cleaned_data["mode"]))
        return redirect("web:sign-up-policy")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "web/settings/sign_up.html", context_of(request, form=form), status=status)
