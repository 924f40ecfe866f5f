"""An OpenID Connect provider on this machine: what it says of people is what a test tells it to say, lies included."""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

CLIENT, SECRET = "foretell", "the client's secret"


@dataclass
class Said:
    """What is said at one sign-in; `claims` go over all others, `None` takes one out."""

    query: dict[str, str]
    claims: dict[str, Any]


@dataclass
class LocalProvider:
    """claims : of whoever signs in there next."""

    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    signs: bool = True
    status: int = 200
    location: str = ""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self._codes: dict[str, Said] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(provider.get(urlsplit(self.path).path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(provider.token({name: values[0] for name, values in parse_qs(body).items()}))

            def _answer(self, body: dict[str, Any] | None) -> None:
                content = json.dumps(body or {"error": "invalid_grant"}).encode()
                self.send_response(400 if body is None else provider.status)
                if provider.location:
                    self.send_header("Location", provider.location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def authorize(self, address: str) -> dict[str, str]:
        """Let somebody sign in who was sent here; return what they come back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe()
        self._codes[code] = Said(query, dict(self.claims))
        return {"code": code, "state": query["state"]}

    def get(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks", "userinfo_endpoint": f"{self.issuer}/userinfo", **self.configuration,
            }  # fmt: skip
        if path == "/jwks":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
            return {"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]}
        return self.userinfo if path == "/userinfo" else None

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        said = self._codes.pop(form.get("code", ""), None)
        if said is None or (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != said.query["code_challenge"]:
            return None
        now = int(time.time())  # noqa: TID251  tokens have their own clock
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": said.query.get("nonce"), **said.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self._key if self.signs else generate_private_key(SECP256R1())
        id_token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "one"})
        return {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": id_token}
