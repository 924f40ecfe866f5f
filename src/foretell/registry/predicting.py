"""One prediction, one path: REST, pages, and every face to come end in `predict`."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from foretell.accounts.permissions import Action, Principal, is_allowed, is_visible
from foretell.ids import uuid7
from foretell.inference import predicting as inference
from foretell.inference.batch import Predictions
from foretell.inference.codec import ParsedRows
from foretell.inference.signature import Signature
from foretell.naming import CHAMPION
from foretell.refusals import ModelNotFound, NoSuchAlias, NoSuchVersion, NotAllowed, not_ready
from foretell.registry.models import ModelVersion
from foretell.registry.serving import borrowed_model

MAX_NUMBER = 2**31 - 1  # what a column of version numbers holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """An answer, with what a face needs to put it into its own words."""

    id: UUID
    model: str
    version: int
    signature: Signature
    parsed: ParsedRows
    predictions: Predictions


def predict(
    *,
    principal: Principal,
    model: str,
    alias: str | None = None,
    version: int | None = None,
    parse: Callable[[Signature], ParsedRows],
) -> Prediction:
    """Ask the champion of `model`, or the version that an alias or a number names.

    Parameters
    ----------
    parse
        Turns what came over the wire into rows, by the signature of the version that will answer.

    Raises
    ------
    ModelNotFound, NoSuchAlias, NoSuchVersion, VersionNotReady, NotAllowed
        before anything is parsed.
    InvalidInput
        from `parse`.
    InferenceError
        when the model, or the worker behind it, gave up.
    """
    found = resolve_version(principal=principal, model=model, alias=alias, version=version)
    with borrowed_model(found) as loaded:
        parsed = parse(loaded.signature)
        predictions = inference.predict(loaded, parsed.batch)
    return Prediction(
        id=uuid7(),
        model=model,
        version=found.number,
        signature=loaded.signature,
        parsed=parsed,
        predictions=predictions,
    )


def resolve_version(*, principal: Principal, model: str, alias: str | None, version: int | None) -> ModelVersion:
    """Return the ready version that is asked for, once it is sure that the principal may ask it."""
    if not is_visible(principal, model):
        raise ModelNotFound
    if not is_allowed(principal, Action.PREDICT, model=model):
        raise NotAllowed("Your role, or the scopes of your key, do not include predictions.")
    versions = ModelVersion.objects.select_related("model").filter(model__name=model, model__archived_at=None)
    if version is not None:
        found = versions.filter(number=min(version, MAX_NUMBER)).first()
    else:
        found = versions.filter(aliases__name=alias or CHAMPION).first()
    if found is None:
        raise _why_not(model, alias, version, versions.exists())
    if not found.is_ready:
        raise not_ready(model, found.number, found.state, found.reason)
    return found


def _why_not(
    model: str, alias: str | None, version: int | None, has_versions: bool
) -> ModelNotFound | NoSuchAlias | NoSuchVersion:
    if not has_versions:
        return ModelNotFound()
    return NoSuchVersion(model, version) if version is not None else NoSuchAlias(model, alias or CHAMPION)
