"""Tokens that were ours, with other claims, in another form, with a bit changed, or of somebody else."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.accounts.tokens.making import Make, Named, as_it_is, claim_as, claims, edited, payload
from tests.accounts.tokens.workshop import Workshop, content_of, flipped, json_of

NOBODY = "6b0e3c1e-8f0c-4a55-9d8c-0d6d5f0a7a11"
YEAR_S = 365 * 24 * 3600
CLAIMS = ("iss", "aud", "sub", "sid", "jti", "gen", "role", "scope", "iat", "nbf", "exp")
ISSUERS = ("https://evil.example", "", "http://localhost/", "HTTP://LOCALHOST", "http://localhost.evil.example")
SUBJECTS = ("bob", "alice", "", "*", "1", NOBODY, "' OR 1=1 --", "\0", "00000000-0000-0000-0000-000000000000")


def with_other_claims() -> Named:
    for name in CLAIMS:
        yield f"{name} is missing", claims(name)
        yield f"{name} is null", claims(**{name: None})
        yield f"{name} is a list", claim_as(name, lambda value: [value])
        yield f"{name} is of another type", claim_as(name, lambda value: 1 if isinstance(value, str) else str(value))
    for issuer in ISSUERS:
        yield f"issuer {issuer!r}", claims(iss=issuer)
    for sub in SUBJECTS:
        yield f"sub {sub!r:.40}", claims(sub=sub)
    yield "sub of another tenant", lambda shop: shop.with_claims(sub=claim_of(shop.elsewhere.access, "sub"))
    yield "another tenant's audience", claims(aud=NOBODY)
    yield "globex's audience", lambda shop: shop.with_claims(aud=claim_of(shop.elsewhere.access, "aud"))
    yield "the tenant's name for audience", claims(aud="acme")
    yield "two audiences", claim_as("aud", lambda value: [value, "acme"])
    yield "an audience in capitals", claim_as("aud", str.upper)
    yield "sid no UUID", claims(sid="' OR 1=1 --")
    yield "gen before the first", claims(gen=-1)
    for name in ("sub", "exp", "scope", "aud", "sid"):
        yield f"{name} twice", twice(name)


def at_other_times() -> Named:
    now = time.time_ns() // 10**9
    yield "expired a second ago", claims(iat=now - 300, nbf=now - 300, exp=now - 1)
    yield "expired an hour ago", claims(iat=now - 3900, nbf=now - 3900, exp=now - 3600)
    yield "expired in 1970", claims(iat=0, nbf=0, exp=0)
    yield "a negative end", claims(exp=-1)
    yield "valid for ten years", claims(exp=now + 10 * YEAR_S)
    yield "valid for ever", claims(exp=2**63)
    yield "valid tomorrow", claims(iat=now + 86_400, nbf=now + 86_400, exp=now + 86_700)
    yield "not valid yet", claims(nbf=now + 3_600)
    yield "made in the future", claims(iat=now + 3_600, exp=now + 3_900)


def claim_of(token: str, name: str) -> Any:
    return json.loads(content_of(token.split(".")[1]))[name]


def twice(name: str) -> Make:
    def make(shop: Workshop) -> str:
        again = json_of({name: shop.claims[name]})[1:-1]
        return shop.with_payload(b"{" + again + b"," + json_of(shop.claims)[1:])

    return make


WHOLE = {
    "nothing": "", "one dot": ".", "two dots": "..", "three dots": "...", "words": "not a token", "a.b.c": "a.b.c",
    "an e-mail address": "bob@acme.example", "a path": "../../etc/passwd", "SQL": "' OR 1=1 --", "JSON": '{"alg":"none"}',
}  # fmt: skip
CHANGES: dict[str, Callable[[str], str]] = {
    "half of it": lambda token: token[: len(token) // 2],
    "its first character gone": lambda token: token[1:],
    "its last character gone": lambda token: token[:-1],
    "a fourth part": lambda token: token + ".AAAA",
    "an empty first part": lambda token: "." + token.split(".", 1)[1],
    "an empty payload": lambda token: "..".join((token.split(".")[0], token.split(".")[2])),
    "padding": lambda token: token + "==",
    "padding of the payload": lambda token: token.replace(".", "=.", 1),
    "a space within": lambda token: token.replace(".", ". ", 1),
    "a tab within": lambda token: token.replace(".", ".\t", 1),
    "twice": lambda token: f"{token},{token}",
    "in quotes": lambda token: f'"{token}"',
    "in capitals": lambda token: token.upper(),
    "reversed": lambda token: token[::-1],
    "parts swapped": lambda token: ".".join(reversed(token.split("."))),
    "the alphabet of plain base64": lambda token: token.replace("-", "+").replace("_", "/") + "+/",
    "a percent code": lambda token: token.replace(".", "%2e"),
    "a character beyond ASCII": lambda token: token + "é",
    "a long payload": lambda token: token.replace(".", "." + "A" * 20_000, 1),
}
PAYLOADS: dict[str, Any] = {
    "a list": [], "a text": "x", "null": None, "no JSON": b"{", "a byte order mark": b"\xef\xbb\xbf{}", "empty": b"",
}  # fmt: skip


def with_broken_form() -> Named:
    for name, text in WHOLE.items():
        yield name, as_it_is(text)
    for name, change in CHANGES.items():
        yield name, edited(change)
    for name, content in PAYLOADS.items():
        yield f"a payload that is {name}", payload(content)
    yield (
        "claims nested deep",
        lambda shop: shop.with_payload(json_of(shop.claims)[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"),
    )


def with_flipped_bits() -> Named:
    for part in (0, 1, 2):
        for share in (0.0, 0.2, 0.4, 0.6, 0.8, 0.97):
            yield f"part {part} at {share:.0%}", flipped_in(part, share)


def flipped_in(part: int, share: float) -> Make:
    def change(token: str) -> str:
        parts = token.split(".")
        parts[part] = flipped(parts[part], int(share * len(parts[part])))
        return ".".join(parts)

    return edited(change)


def of_somebody_else() -> Named:
    yield "another tenant's token", lambda shop: shop.elsewhere.access
    yield (
        "another tenant's person and audience, signed with our key",
        lambda shop: shop.with_claims(
            sub=claim_of(shop.elsewhere.access, "sub"), aud=claim_of(shop.elsewhere.access, "aud")
        ),
    )
    yield (
        "another tenant's family and nobody of ours",
        lambda shop: shop.with_claims(sid=claim_of(shop.elsewhere.access, "sid"), sub=NOBODY),
    )
    yield "the refresh token", lambda shop: shop.pair.refresh
    yield "another tenant's refresh token", lambda shop: shop.elsewhere.refresh
    yield "the kid", lambda shop: shop.ours.kid
