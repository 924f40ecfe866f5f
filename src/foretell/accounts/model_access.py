"""What is said of single models: which are restricted, and what somebody was granted on which. `permissions.py` weighs it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import F, JSONField, Value

from foretell.accounts.models import ModelGrant, ModelPolicy, User

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ModelAccess:
    """Beside somebody's role.

    restricted : models where the role alone gives nothing.
    grants : by model, the names of the actions that were granted.
    """

    restricted: frozenset[str] = NONE
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def granted_on(self, model: str) -> frozenset[str]:
        return self.grants.get(model, NONE)

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the models that are not there for somebody whose role is narrowed by restrictions."""
        return self.restricted.difference(self.grants) if self.grants else self.restricted


NOTHING_SAID = ModelAccess()


def access_of(restricted: frozenset[str], grants: Mapping[str, Collection[str]]) -> ModelAccess:
    return ModelAccess(restricted, {model: frozenset(actions) for model, actions in grants.items()})


def read_access(user: User) -> ModelAccess:
    """Return it as it is now, in one query."""
    restricted = ModelPolicy.objects.filter(is_restricted=True).values_list(
        "model_name", Value(None, output_field=JSONField())
    )
    grants = ModelGrant.objects.filter(user_id=user.pk).values_list("model_name", F("actions"))
    rows = list(restricted.order_by().union(grants.order_by(), all=True))
    return access_of(
        frozenset(model for model, actions in rows if actions is None),
        {model: actions for model, actions in rows if actions is not None},
    )
