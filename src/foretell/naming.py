"""What models, aliases and tags may be called: names that stand in addresses as they are."""

import re

from foretell.errors import ForetellError

MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,49}")
CHAMPION = "champion"


class InvalidName(ForetellError):
    code = "invalid_name"
    kind = "invalid"


def check_model_name(name: str) -> None:
    if not MODEL.fullmatch(name):
        raise InvalidName(
            f"{name[:120]!r} cannot be a model's name. Expected 1 to 100 letters, digits and . _ -, beginning with a letter or digit, such as iris."
        )


def check_alias(alias: str) -> None:
    if not ALIAS.fullmatch(alias):
        raise InvalidName(
            f"{alias[:120]!r} cannot be an alias. Expected 1 to 50 small letters, digits and _ -, beginning with a letter, such as champion."
        )
