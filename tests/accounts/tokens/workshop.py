"""What a forger has: both tenants' public keys, tokens of their own, a key of their own; and, to know each rule alone, ours too."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from foretell.accounts.tokens.issuing import TokenPair
from foretell.accounts.tokens.services import sign_in
from foretell.accounts.tokens.signing_keys import Signer, signer
from tests.cast import PASSWORD, Cast, House
from tests.http import HttpFor

Json = dict[str, Any]
Sign = Callable[[bytes], bytes]


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content_of(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def json_of(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def minted(header: Json | bytes, payload: Any, sign: Sign) -> str:
    """Return a token of exactly this header and payload; bytes are taken as they are."""
    parts = [part if isinstance(part, bytes) else json_of(part) for part in (header, payload)]
    signed = ".".join(map(base64url, parts))
    return f"{signed}.{base64url(sign(signed.encode()))}"


@dataclass(frozen=True)
class Workshop:
    """A valid token of Bob's at acme taken apart, and what else is at hand."""

    pair: TokenPair
    ours: Signer
    theirs: Signer  #: globex's
    elsewhere: TokenPair  #: Carol's, at globex
    forger: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def header(self) -> Json:
        return dict(json.loads(content_of(self.pair.access.split(".")[0])))

    @property
    def claims(self) -> Json:
        return dict(json.loads(content_of(self.pair.access.split(".")[1])))

    @property
    def public_key(self) -> bytes:
        return self.ours.private_key.public_key().public_bytes_raw()

    def with_header(self, *without: str, **changes: Any) -> str:
        """Return Bob's claims under another header, signed with acme's own key."""
        return minted(changed(self.header, without, changes), self.claims, self.ours.private_key.sign)

    def with_claims(self, *without: str, **changes: Any) -> str:
        """Return other claims, signed with acme's own key: only the rule about the claim is left to refuse it."""
        return minted(self.header, changed(self.claims, without, changes), self.ours.private_key.sign)

    def with_payload(self, payload: Any) -> str:
        return minted(self.header, payload, self.ours.private_key.sign)

    def forged(self, *, sign: Sign | None = None, **header: Any) -> str:
        """Return Alice's claims, an owner's, as somebody makes them who has no key of ours."""
        claims = {**self.claims, "role": "owner", "scope": "admin"}
        return minted({**self.header, **header}, claims, sign or self.forger.sign)


def changed(before: Mapping[str, Any], without: tuple[str, ...], changes: Mapping[str, Any]) -> Json:
    return {name: value for name, value in {**before, **changes}.items() if name not in without}


def opened_workshop(cast: Cast) -> Workshop:
    now = timezone.now()
    with cast.globex.inside():
        elsewhere = sign_in(user=cast.globex.user("carol"), now=now)
        theirs = signer(now=now)
    with cast.acme.inside():
        return Workshop(sign_in(user=cast.acme.user("bob"), now=now), signer(now=now), theirs, elsewhere)


def tokens_of(house: House, person: str) -> TokenPair:
    """Sign somebody in, without a password to hash."""
    with house.inside():
        return sign_in(user=house.user(person), now=timezone.now())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def posted(http_for: HttpFor, what: str, *, tenant: str = "acme", **body: Any) -> httpx.Response:
    """POST to /api/token/ or below it, with no other credential."""
    return http_for(None, tenant=tenant).post(f"/api/token/{what}", json=body)


def signed_in(http_for: HttpFor, person: str = "bob", **body: Any) -> Json:
    answer = posted(http_for, "", username=person, password=PASSWORD, **body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def flipped(text: str, position: int) -> str:
    """Return the text with the character at this place replaced by another one of base64url."""
    other = "A" if text[position] != "A" else "Q"
    return text[:position] + other + text[position + 1 :]


__all__ = [
    "Workshop", "base64url", "bearer", "flipped", "json_of", "minted", "opened_workshop", "posted", "signed_in", "tokens_of",
]  # fmt: skip
