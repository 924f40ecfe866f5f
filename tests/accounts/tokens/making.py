"""Short words for what a forger does to a token."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.accounts.tokens.workshop import Workshop

Make = Callable[[Workshop], str]
Named = Iterator[tuple[str, Make]]


def forged(**header: Any) -> Make:
    return lambda shop: shop.forged(**header)


def header(*without: str, **changes: Any) -> Make:
    return lambda shop: shop.with_header(*without, **changes)


def claims(*without: str, **changes: Any) -> Make:
    return lambda shop: shop.with_claims(*without, **changes)


def payload(content: Any) -> Make:
    return lambda shop: shop.with_payload(content)


def as_it_is(text: str) -> Make:
    return lambda shop: text


def edited(change: Callable[[str], str]) -> Make:
    """Return what becomes of the honest token."""
    return lambda shop: change(shop.pair.access)


def claim_as(name: str, change: Callable[[Any], Any]) -> Make:
    """Return the claims with one of them changed, signed with our key."""
    return lambda shop: shop.with_claims(**{name: change(shop.claims[name])})
