"""One prediction, one path: REST, pages, and every face to come end in `predict`."""

import time

from foretell.accounts import limiting
from foretell.accounts.permissions import Action, Principal, is_allowed, is_visible
from foretell.inference.answering import Parse, Prediction, answer
from foretell.inference.logged import Asked
from foretell.naming import CHAMPION
from foretell.refusals import ModelNotFound, NoSuchAlias, NoSuchVersion, NotAllowed, not_ready
from foretell.registry.models import ModelVersion
from foretell.registry.recording import record
from foretell.registry.serving import borrowed_model

MAX_NUMBER = 2**31 - 1  # what a column of version numbers holds


def predict(
    *,
    principal: Principal,
    model: str,
    alias: str | None = None,
    version: int | None = None,
    parse: Parse,
    asked: Asked,
) -> Prediction:
    """Ask the champion of `model`, or the version that an alias or a number names.

    Parameters
    ----------
    parse
        Turns what came over the wire into rows, by the signature of the version that will answer.
    asked
        By which face, and in which words; for the log, which has the prediction before this returns.

    Raises
    ------
    ModelNotFound, NoSuchAlias, NoSuchVersion, VersionNotReady, NotAllowed
        before anything is parsed.
    InvalidInput
        from `parse`.
    QuotaExceeded
        when the tenant's month is spent.
    InferenceError
        when the model, or the worker behind it, gave up.
    LogUnavailable
        when it cannot be logged, and the tenant requires that it is.
    """
    found = resolve_version(principal=principal, model=model, alias=alias, version=version)
    with borrowed_model(found) as loaded:
        began = time.thread_time()
        prediction = answer(
            loaded, parse, model=model, version=found.number, count_rows=lambda rows: limiting.take_quota(rows=rows)
        )
        cpu_s = time.thread_time() - began
    record(principal=principal, version=found, asked=asked, prediction=prediction, cpu_s=cpu_s)
    return prediction


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
