"""Which models there are for somebody."""

from foretell.refusals import NotAllowed
from foretell.serving.catalogue import Model
from foretell.serving.door import known, visible_model
from foretell.serving.exchange import Exchange


def visible_models(exchange: Exchange) -> list[Model]:
    """Return the models that the principal may know of, by name."""
    tenant, principal = known(exchange)
    if not (principal.may_read or principal.may_predict):
        raise NotAllowed
    names = sorted(tenant.models if principal.models is None else tenant.models.keys() & principal.models)
    return [model for name in names if (model := visible_model(tenant, principal, name)) is not None]
