"""The list of a tenant's models."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from foretell.accounts.access import requires
from foretell.accounts.permissions import Action, model_reach, principal_of
from foretell.core.tenancy import current_tenant
from foretell.naming import CHAMPION
from foretell.registry.models import ModelVersion, RegisteredModel
from foretell.web.states import state_text, tone_of

MODELS_PER_PAGE = 60


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    url: str
    description: str
    task: str
    champion: int | None
    latest: int | None
    state: str
    tone: str


@require_safe
@requires(Action.READ)
def catalogue(request: HttpRequest) -> HttpResponse:
    newest = ModelVersion.objects.filter(model=OuterRef("pk")).order_by("-number")
    models = (
        RegisteredModel.objects.listed()
        .within(model_reach(principal_of(request)))
        .annotate(latest_state=Subquery(newest.values("state")[:1]))
        .order_by("name")
    )
    page = Paginator(models, MODELS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "models": [card_of(model) for model in page], "commands": first_commands(request)}
    return render(request, "web/catalogue.html", context)


def card_of(model: RegisteredModel) -> ModelCard:
    champion = next((alias.version for alias in model.aliases.all() if alias.name == CHAMPION), None)
    state = getattr(model, "latest_state", None) or ""
    return ModelCard(
        name=model.name,
        url=reverse("web:model", args=[model.name]),
        description=model.description,
        task=(champion.task if champion else None) or "",
        champion=champion.number if champion else None,
        latest=getattr(model, "latest_version", None),
        state=state_text(state),
        tone=tone_of(state),
    )


def first_commands(request: HttpRequest) -> str:
    """Return what to type to bring the first model here, with this installation's own address."""
    return "\n".join(
        (
            "pip install 'foretell[sklearn]'",
            f"foretell login --url {request.scheme}://{request.get_host()} --tenant {current_tenant().name}",
            "foretell push model.joblib --name my-model --sample rows.csv --target answer",
        )
    )
