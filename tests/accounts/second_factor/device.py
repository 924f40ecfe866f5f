"""A device that holds passkeys, without a screen: it does what a browser and an authenticator do together."""

import hashlib
import json
import os
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


class Device:
    """One passkey.

    Parameters
    ----------
    origin
        Of the page that asks, as the browser sees it.
    """

    def __init__(self, origin: str = "http://acme.localhost") -> None:
        self.origin = origin
        self.id = os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = b""

    def create(self, options: dict[str, Any], *, alone: bool = True) -> str:
        """Make a passkey; return what the browser sends. `alone`: for a sign-in without a password."""
        asked = options["creation_options"]["publicKey"]
        self.user_handle = asked["user"]["id"]
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))  # type: ignore[no-untyped-call]  # fido2's
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(asked["rp"]["id"], HAS_KEY) + credential
        response = {
            "clientDataJSON": self._client_data("webauthn.create", asked["challenge"]),
            "attestationObject": websafe_encode(cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._sent(response, {"credProps": {"rk": alone}})

    def get(self, options: dict[str, Any], *, host: str = "") -> str:
        """Sign a challenge; return what the browser sends. host : the relying party, where it lies."""
        asked = options["request_options"]["publicKey"]
        data = self._data(host or asked["rpId"], 0)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        digest = hashlib.sha256(self._raw(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.key.sign(data + digest, ec.ECDSA(hashes.SHA256()))),
            "userHandle": self.user_handle,
        }
        return self._sent(response, {})

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags | PRESENT | VERIFIED]) + bytes(4)

    def _client_data(self, kind: str, challenge: str) -> str:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return websafe_encode(json.dumps(said).encode())

    def _raw(self, text: str) -> bytes:
        from fido2.utils import websafe_decode

        return websafe_decode(text)

    def _sent(self, response: dict[str, Any], extensions: dict[str, Any]) -> str:
        id = websafe_encode(self.id)
        return json.dumps(
            {"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": extensions}
        )
