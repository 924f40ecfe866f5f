"""The only doors to a model, a version and an alias: not there, not yours and not visible to your key are one answer."""

from rest_framework.request import Request

from foretell.accounts.permissions import is_visible, principal_of
from foretell.refusals import ModelNotFound, NoSuchAlias, NoSuchVersion
from foretell.registry.models import Alias, ModelVersion, RegisteredModel, RegisteredModelQuerySet
from foretell.registry.predicting import MAX_NUMBER


def model_of(request: Request, name: str) -> RegisteredModel:
    """Return a model with all that is shown of it."""
    return _found(request, RegisteredModel.objects.described(), name)


def plain_model_of(request: Request, name: str) -> RegisteredModel:
    """Return a model for the sake of what is below it; one query."""
    return _found(request, RegisteredModel.objects.all(), name)


def version_of(request: Request, name: str, number: int) -> ModelVersion:
    model = plain_model_of(request, name)
    found = (
        model.versions.select_related("model", "created_by")
        .prefetch_related("aliases")
        .filter(number=min(number, MAX_NUMBER))
        .first()
    )
    if found is None:
        raise NoSuchVersion(name, number)
    return found


def alias_of(request: Request, name: str, alias: str) -> Alias:
    found = plain_model_of(request, name).aliases.select_related("version", "model").filter(name=alias).first()
    if found is None:
        raise NoSuchAlias(name, alias)
    return found


def _found(request: Request, models: RegisteredModelQuerySet, name: str) -> RegisteredModel:
    found = models.filter(name=name).first()
    if found is None or not is_visible(principal_of(request), name):
        raise ModelNotFound
    return found
