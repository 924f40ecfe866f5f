"""Claims of an installation's own, for other services: `FORETELL_TOKEN_CLAIMS` names a function that is given the person.

Foretell itself reads none of them, and none takes the place of one that it reads.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from foretell.accounts.models import User
from foretell.accounts.tokens.claims import RESERVED
from foretell.env import MalformedVariable
from foretell.errors import ForetellError

ClaimsFunction = Callable[[User], Mapping[str, Any]]


class InvalidClaims(ForetellError):
    """The installation's function gave what cannot stand in a token."""

    code = "invalid_claims"


def custom_claims(user: User) -> dict[str, Any]:
    """Return what the installation adds to a person's access tokens.

    Raises
    ------
    InvalidClaims
        for a claim that is Foretell's own.
    """
    function = claims_function()
    if function is None:
        return {}
    claims = dict(function(user))
    if taken := sorted(RESERVED & claims.keys()):
        raise InvalidClaims(
            f"{settings.TOKEN_CLAIMS} returned the claims {', '.join(taken)}, which are Foretell's own. Use other names."
        )
    return claims


def claims_function() -> ClaimsFunction | None:
    """Return the function that the setting names, or None where it names none.

    Raises
    ------
    MalformedVariable
    """
    return _imported(settings.TOKEN_CLAIMS) if settings.TOKEN_CLAIMS else None


@cache
def _imported(path: str) -> ClaimsFunction:
    try:
        function: ClaimsFunction = import_string(path)
    except ImportError as err:
        raise MalformedVariable("FORETELL_TOKEN_CLAIMS", path, f"the dotted path of a function ({err})") from err
    if not callable(function):
        raise MalformedVariable("FORETELL_TOKEN_CLAIMS", path, "the dotted path of a function")
    return function
