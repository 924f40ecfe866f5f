"""Names are unique whatever their case: a folded copy of each stands beside it, under a UNIQUE constraint."""

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

MARKS = frozenset("._-+@")


def folded(text: str) -> str:
    """Return `text` so that what looks the same is the same: NFKC and casefold, as Unicode (UAX #15, §3.13) has it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class FoldedField(models.CharField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The folded copy of another field, made at every save."""

    def __init__(self, *args: Any, source: str = "", **kwargs: Any) -> None:
        self.source = source
        super().__init__(*args, **{"max_length": 512, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = folded(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value


def validate_username(username: str) -> None:
    """Refuse names that pass for another's: invisible characters, and letters of more than one script."""
    if not all(character.isalnum() or character in MARKS for character in username):
        raise ValidationError("A user name has letters, digits and . _ - + @ only.", code="invalid")
    if len({_script(character) for character in username if character.isalpha()}) > 1:
        raise ValidationError(
            "A user name's letters are of one script: Latin and Cyrillic, say, are not mixed.", code="mixed_scripts"
        )


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").split(" ", 1)[0]
