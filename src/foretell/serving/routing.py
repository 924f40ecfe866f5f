"""Addresses of a protocol with their methods: what answers, or what says that nothing does."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from foretell.errors import ForetellError
from foretell.serving.exchange import Exchange
from foretell.serving.faces import Handler
from foretell.serving.responses import Response

# A model's name as it stands in an address, with an alias or a version behind it.
MODEL = r"(?P<name>[^/@:]+)(?:@(?P<alias>[^/@:]+)|/versions/(?P<version>[^/:]+))?"


class MethodNotAllowed(ForetellError):
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"This address does not take {method[:20]}; it takes {allowed}.", allow=allowed)


class NoSuchAddress(ForetellError):
    code = "not_found"

    def __init__(self, hint: str) -> None:
        super().__init__(f"Nothing is at this address. {hint}")


class UnsupportedMediaType(ForetellError):
    code = "unsupported_media_type"


class NoSuchVersionText(ForetellError):
    """A version that is no number; versions are numbered from 1."""

    code = "not_found"


@dataclass(frozen=True, slots=True)
class Route:
    """One address: methods by name; its pattern's groups are their arguments."""

    pattern: re.Pattern[str]
    methods: Mapping[str, Callable[..., Awaitable[Response]]]


def find_handler(
    routes: Sequence[Route], method: str, path: str, *, refusal: Callable[[ForetellError], Handler]
) -> Handler | None:
    """Return what answers; where the address is known, but not with this method, what says so: the `refusal` of it."""
    for route in routes:
        match = route.pattern.fullmatch(path)
        if match is not None:
            handler = route.methods.get(method)
            if handler is None:
                return refusal(MethodNotAllowed(method, ", ".join(sorted(route.methods))))
            return partial(handler, **match.groupdict())
    return None


def number_of(model: str, version: str | None) -> int | None:
    """Return the number that a version in an address is.

    Raises
    ------
    NoSuchVersionText
    """
    if version is None:
        return None
    if not (version.isascii() and version.isdigit() and len(version) <= 18):
        raise NoSuchVersionText(f"The model {model!r} has no version {version[:40]!r}: versions are numbers, from 1.")
    return int(version)


def require_media_type(exchange: Exchange, *allowed: str) -> None:
    """Refuse a body that says it is something else; one that says nothing is what the protocol expects.

    Raises
    ------
    UnsupportedMediaType
    """
    found = exchange.header(b"content-type") or ""
    kind, _, parameters = found.partition(";")
    if kind.strip().lower() not in ("", *allowed):
        raise UnsupportedMediaType(f"Found the content type {found[:80]!r}; expected {allowed[0]}.")
    charset = re.search(r"charset\s*=\s*\"?([^\";\s]*)", parameters.lower())
    if charset is not None and charset[1] not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"Found the charset {charset[1][:40]!r}; expected utf-8.")
