"""Behind nginx, by the configuration that docs/operations.md gives: TLS, streams, cookies, and who it is that asks."""

import datetime
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync.client import connect

from tests.acceptance.installation import Door, Installation, free_port, running, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
HOST = "demo.models.example.com"
ADDITION = "/api/v1/models/addition/predict/"
CLIENT = "127.0.0.2"  # an address that is not the proxy's

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed here: tools/test-setup installs it"),
]


@dataclass
class Proxied:
    """An installation behind nginx, as somebody from elsewhere meets it."""

    port: int
    door: Door

    def client(self, **headers: str) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=False, local_address=CLIENT)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": HOST, **headers},
            transport=transport,
            timeout=20,
        )


class BehindProxy(Installation):
    @property
    def environment(self) -> dict[str, str]:
        named = {
            "FORETELL_HTTPS": "true",
            "FORETELL_BASE_DOMAIN": "models.example.com",
            "FORETELL_TRUSTED_PROXIES": "1",
        }
        return super().environment | named


@pytest.fixture(scope="module")
def proxied(place: Path) -> Iterator[Proxied]:
    with running(place / "home", kind=BehindProxy) as installation:
        port = free_port()
        process = subprocess.Popen([NGINX, "-p", place, "-c", configuration(place, port, installation.port)])  # type: ignore[list-item]
        try:
            wait_until(lambda: _listens(port), within_s=10)
            yield Proxied(port, installation.demo)
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def owner(proxied: Proxied) -> Iterator[httpx.Client]:
    with proxied.client(**proxied.door.headers) as client:
        yield client


def configuration(place: Path, port: int, behind: int) -> Path:
    """Write the document's own block into a whole configuration, with this test's ports and certificate."""
    found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    block = found[1]
    for theirs, ours in (
        ("127.0.0.1:8000", f"127.0.0.1:{behind}"), ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/models.example.com", str(place / "certificate")),
    ):  # fmt: skip
        assert theirs in block
        block = block.replace(theirs, ours)
    write_certificate(place)
    temporary = "".join(
        f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = place / "nginx.conf"
    path.write_text(
        f"daemon off; pid {place}/nginx.pid; error_log {place}/nginx.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{block} }}\n"
    )
    return path


def write_certificate(place: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "models.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (place / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (place / "certificate.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_predictions_are_answered(owner: httpx.Client) -> None:
    answers = [owner.post(ADDITION, json={"a": a, "b": 0.5}) for a in range(20)]

    assert [answer.json()["prediction"] for answer in answers] == [a + 0.5 for a in range(20)]


def test_a_stream_answers(proxied: Proxied) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with connect(
        f"wss://{HOST}/ws/v1/models/addition/predict/", additional_headers=proxied.door.headers, ssl=trusting,
        sock=socket.create_connection(("127.0.0.1", proxied.port)),
    ) as stream:  # fmt: skip
        stream.send(json.dumps({"a": 20, "b": 22}))

        assert json.loads(stream.recv(timeout=10))["prediction"] == 42


def test_links_and_cookies_are_those_of_https(proxied: Proxied, owner: httpx.Client) -> None:
    shown = owner.get("/api/v1/models/addition/").json()
    with proxied.client() as browser:
        page = browser.get("/accounts/login/", headers={"Accept": "text/html"})

    assert shown["url"].startswith(f"https://{HOST}/")
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all(cookie.startswith("__Host-") and "Secure" in cookie for cookie in cookies)
    assert "max-age" in page.headers["strict-transport-security"]


def test_the_client_is_who_the_proxy_saw_and_not_who_it_says_it_is(proxied: Proxied) -> None:
    with proxied.client(**proxied.door.headers, **{"X-Forwarded-For": "203.0.113.9"}) as owner:
        made = owner.post("/api/v1/keys/", json={"name": "from elsewhere", "scopes": ["predict"]})
        (row,) = owner.get("/api/v1/audit/", params={"action": "key.created", "search": "from elsewhere"}).json()[
            "results"
        ]

    assert made.status_code == 201, made.text
    assert row["address"] == CLIENT


def test_metrics_are_not_shown_to_whoever_comes_through_the_proxy(owner: httpx.Client) -> None:
    assert owner.get("/metrics").status_code == 404


def test_a_host_that_is_nobodys_is_not_found(proxied: Proxied) -> None:
    with proxied.client(Host="nobody.models.example.com") as stranger:
        assert stranger.get("/api/v1/models/").status_code == 404
