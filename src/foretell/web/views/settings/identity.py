"""/settings/identity/: the identity providers of the tenant, which an owner sets up."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from foretell.accounts.access import requires
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.identity_providers.services import get_provider, remove_provider, set_provider
from foretell.accounts.permissions import Action, principal_of
from foretell.web.provider_forms import ProviderForm
from foretell.web.settings_forms import tried
from foretell.web.views.settings.places import context_of

PAGES = require_http_methods(["GET", "HEAD", "POST"])


@PAGES
@requires(Action.OWN)
@never_cache
@sensitive_post_parameters("secret")
def providers(request: HttpRequest) -> HttpResponse:
    form = ProviderForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_set(request, form):
        return redirect("web:identity")
    rows = [
        (row, request.build_absolute_uri(reverse("openid_connect_callback", args=[row.slug])))
        for row in IdentityProvider.objects.all()
    ]
    example = request.build_absolute_uri(reverse("openid_connect_callback", args=["name"]))
    context = context_of(request, form=form, rows=rows, example=example)
    return render(request, "web/settings/identity.html", context, status=_status(form))


@PAGES
@requires(Action.OWN)
@never_cache
@sensitive_post_parameters("secret")
def provider(request: HttpRequest, slug: str) -> HttpResponse:
    """Change one, or remove it."""
    found = get_provider(slug)
    if request.POST.get("do") == "remove":
        remove_provider(slug=slug, by=principal_of(request))
        return redirect("web:identity")
    form = ProviderForm(request.POST or None, provider=found)
    if request.method == "POST" and form.is_valid() and _is_set(request, form):
        return redirect("web:identity")
    context = context_of(request, form=form, provider=found)
    return render(request, "web/settings/identity_provider.html", context, status=_status(form))


def _is_set(request: HttpRequest, form: ProviderForm) -> bool:
    return tried(form, lambda: set_provider(**form.cleaned_data, by=principal_of(request))) is not None


def _status(form: ProviderForm) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
