"""Names are unique whatever their case: a folded copy of each stands beside it, under a UNIQUE constraint."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

MARKS = frozenset("._-+@")
# Letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point): fillers, joiners, and vowels without a form.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# What one language writes side by side (UTS #39, highly restrictive).
WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


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
    if not all(_is_plain(character) for character in username) or not username[:1].isalnum():
        raise ValidationError(
            "A user name has letters, digits and . _ - + @ only, and begins with a letter or a digit.", code="invalid"
        )
    scripts = {_script(character) for character in username if character.isalpha()}
    if len(scripts) > 1 and not any(scripts <= together for together in WRITTEN_TOGETHER):
        raise ValidationError(
            "A user name's letters are of one script: Latin and Cyrillic, say, are not mixed.", code="mixed_scripts"
        )


def _is_plain(character: str) -> bool:
    """Whether one sees it: a letter, a digit, a vowel sign or accent on one, or a mark of ours."""
    if character in INVISIBLE or VARIATION_SELECTORS.match(character):
        return False
    return character in MARKS or unicodedata.category(character)[0] in "LNM"


def _script(letter: str) -> str:
    """Return the first word of the letter's name, which is its script; width and case variants are gone after NFKC."""
    return unicodedata.name(unicodedata.normalize("NFKC", letter)[0], "UNNAMED").split(" ", 1)[0].split("-", 1)[0]
