"""Access tokens that must not be accepted, each with one thing wrong. Most are signed with acme's own key, so that no other rule refuses them."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.accounts.tokens.making import Make, Named, forged, header
from tests.accounts.tokens.spoilt import (
    at_other_times,
    of_somebody_else,
    with_broken_form,
    with_flipped_bits,
    with_other_claims,
)
from tests.accounts.tokens.workshop import Sign, Workshop, base64url, json_of, minted


@dataclass(frozen=True)
class Forgery:
    name: str
    make: Make

    def __str__(self) -> str:
        return self.name


def forgeries() -> dict[str, list[Forgery]]:
    """Return them by kind."""
    kinds = (
        without_algorithm, with_the_public_key_as_secret, with_other_algorithms, with_another_kid, with_more_header,
        with_other_claims, at_other_times, with_broken_form, with_flipped_bits, of_somebody_else,
    )  # fmt: skip
    return {kind.__name__: [Forgery(f"{kind.__name__}: {name}", make) for name, make in kind()] for kind in kinds}


def without_algorithm() -> Named:
    for name in ("none", "None", "NONE", "nOnE", "", "null"):
        yield f"{name!r}", forged(alg=name, sign=lambda _: b"")
        yield f"{name!r} with a signature", header(alg=name)
    yield "no signature", lambda shop: shop.pair.access.rsplit(".", 1)[0] + "."
    yield "no last dot", lambda shop: shop.pair.access.rsplit(".", 1)[0]
    yield "alg is missing", header("alg")
    yield "alg is null", header(alg=None)
    yield "alg is a list", header(alg=["EdDSA"])
    yield "alg is a number", header(alg=1)


def with_the_public_key_as_secret() -> Named:
    secrets: dict[str, Callable[[Workshop], bytes]] = {
        "the raw key": lambda shop: shop.public_key,
        "its text in the JWKS": lambda shop: base64url(shop.public_key).encode(),
        "PEM": lambda shop: public(shop, Encoding.PEM),
        "DER": lambda shop: public(shop, Encoding.DER),
        "the JWK": lambda shop: json_of({"crv": "Ed25519", "kty": "OKP", "x": base64url(shop.public_key)}),
        "the kid": lambda shop: shop.ours.kid.encode(),
        "nothing": lambda shop: b"",
    }
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        for name, secret in secrets.items():
            yield (
                f"{algorithm} with {name}",
                hashed(algorithm, digest, secret),
            )


def hashed(algorithm: str, digest: Any, secret: Callable[[Workshop], bytes]) -> Make:
    return lambda shop: shop.forged(alg=algorithm, sign=lambda message: hmac.digest(secret(shop), message, digest))


def public(shop: Workshop, encoding: Encoding) -> bytes:
    return shop.ours.private_key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def with_other_algorithms() -> Named:
    yield "EdDSA of another key", forged()
    yield "Ed25519, its newer name, of another key", forged(alg="Ed25519")
    yield "Ed25519, its newer name, of our key", header(alg="Ed25519")
    yield "eddsa in small letters, of our key", header(alg="eddsa")
    yield "EdDSA with a space, of our key", header(alg="EdDSA ")
    yield "RS256", lambda shop: shop.forged(alg="RS256", sign=rsa_sign(padding.PKCS1v15()))
    yield "PS256", lambda shop: shop.forged(alg="PS256", sign=rsa_sign(padding.PSS(padding.MGF1(hashes.SHA256()), 32)))
    yield "ES256", forged(alg="ES256", sign=ec_sign)
    yield "64 zero bytes", forged(sign=lambda _: bytes(64))
    yield "the signature of other claims", lambda shop: spliced(shop)


def rsa_sign(kind: Any) -> Sign:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return lambda message: key.sign(message, kind, hashes.SHA256())


def ec_sign(message: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(message, ec.ECDSA(hashes.SHA256()))


def spliced(shop: Workshop) -> str:
    header, _, signature = shop.pair.access.split(".")
    return f"{header}.{base64url(json_of({**shop.claims, 'role': 'owner'}))}.{signature}"


KIDS = [
    "", " ", ".", "../../../../dev/null", "/dev/null", "file:///etc/passwd", "' OR '1'='1", "x' UNION SELECT 'a' --",
    "'; DROP TABLE tokens_signingkey; --", "%", "_", "*", "\0", "a\0b", "\u202e", "😀", "A" * 43, "A" * 10_000, "http://evil.example/key",
    "$(id)", "{{7*7}}", "0", "null",
]  # fmt: skip


def with_another_kid() -> Named:
    for kid in KIDS:
        yield f"{kid!r:.30} of {len(kid)} characters, another key", forged(kid=kid)
    for name, value in {"null": None, "a number": 1, "a list": ["a"], "an object": {"a": 1}, "true": True}.items():
        yield f"{name}, our key", header(kid=value)
    yield "missing, our key", header("kid")
    yield "in other capitals, our key", lambda shop: shop.with_header(kid=shop.ours.kid.swapcase())
    yield "with a space, our key", lambda shop: shop.with_header(kid=shop.ours.kid + " ")
    yield "another tenant's, our key", lambda shop: shop.with_header(kid=shop.theirs.kid)
    yield (
        "another tenant's, and its key",
        lambda shop: shop.forged(kid=shop.theirs.kid, sign=shop.theirs.private_key.sign),
    )
    yield "ours, another tenant's key", lambda shop: shop.forged(sign=shop.theirs.private_key.sign)


def with_more_header() -> Named:
    extras: dict[str, Any] = {
        "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert.pem", "x5c": ["MIIB"], "x5t": "abc",
        "x5t#S256": "abc", "crit": ["exp"], "b64": False, "zip": "DEF", "cty": "JWT", "enc": "A256GCM", "foo": "bar", "url": "x",
    }  # fmt: skip
    for name, value in extras.items():
        yield f"{name}, our key", header(**{name: value})
        yield f"{name}, another key", forged(**{name: value})
    yield "jwk, whose key it is", lambda shop: shop.forged(jwk=jwk_of(shop))
    yield "jwk, whose key it is, and no kid", lambda shop: shop.forged(jwk=jwk_of(shop), kid=None)
    for typ in ("JWT", "jwt", "rt+jwt", "AT+JWT", "application/at+jwt", "", None, 1):
        yield f"typ {typ!r}, our key", header(typ=typ)
    yield "typ is missing", header("typ")
    yield (
        "alg twice",
        lambda shop: minted(
            json_of(shop.header).replace(b"{", b'{"alg":"none",', 1), shop.claims, shop.ours.private_key.sign
        ),
    )
    yield "a list", lambda shop: minted(b"[]", shop.claims, shop.ours.private_key.sign)
    yield "no JSON", lambda shop: minted(b"alg: EdDSA", shop.claims, shop.ours.private_key.sign)
    yield "nested deep", lambda shop: minted(b"[" * 300, shop.claims, shop.ours.private_key.sign)


def jwk_of(shop: Workshop) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(shop.forger.public_key().public_bytes_raw())}
