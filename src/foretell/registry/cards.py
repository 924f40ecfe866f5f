"""Model cards: what people read of a model before they use it."""

from collections.abc import Callable

from django.db import transaction

from foretell.accounts.permissions import Principal
from foretell.audit.recording import record
from foretell.errors import ForetellError
from foretell.registry.catalogue import check_may_describe
from foretell.registry.front_matter import split_card
from foretell.registry.models import ModelCard, RegisteredModel

MAX_CHARS = 200_000

Precondition = Callable[[ModelCard | None], None]


class NoCard(ForetellError):
    code = "not_found"

    def __init__(self, model: str) -> None:
        super().__init__(f"The model {model!r} has no card yet. PUT one: Markdown, with YAML front matter if you like.")


def card_of(model: RegisteredModel) -> ModelCard:
    found = ModelCard.objects.select_related("updated_by", "model").filter(model=model).first()
    if found is None:
        raise NoCard(model.name)
    return found


@transaction.atomic
def write_card(
    *, model: RegisteredModel, text: str, by: Principal, precondition: Precondition
) -> tuple[ModelCard, bool]:
    """Write the card anew; returns it, and whether there was none before.

    Raises
    ------
    InvalidFrontMatter, NotAllowed
    """
    split_card(text)
    model.lock()
    check_may_describe(by, model)
    before = ModelCard.objects.select_related("updated_by", "model").filter(model=model).first()
    precondition(before)
    old = {"text": before.text} if before else None
    card, is_new = ModelCard.objects.update_or_create(model=model, defaults={"text": text, "updated_by": by.user})
    record(action="card.written", target=("card", model.name), before=old, after={"text": text})
    return card, is_new


@transaction.atomic
def delete_card(*, model: RegisteredModel, by: Principal, precondition: Precondition) -> None:
    model.lock()
    check_may_describe(by, model)
    card = card_of(model)
    precondition(card)
    card.delete()
    record(action="card.deleted", target=("card", model.name), before={"text": card.text})
