"""A server that is none: it answers from a dict, remembers what it was asked, and serves MockTransport and sockets alike."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

KEY = "ft_abcdefghij_secret"
NOW = "2026-01-02T03:04:05Z"
IRIS_SIGNATURE = {
    "inputs": [
        {"name": "petal length (cm)", "dtype": "float", "range": [1.0, 6.9], "unit": "cm", "example": 4.5},
        {"name": "color", "dtype": "category", "categories": ["blue", "red"], "nullable": True},
        {"name": "count", "dtype": "int"},
        {"name": "wild", "dtype": "bool"},
    ],
    "outputs": [
        {"name": "prediction", "task": "multiclass", "classes": ["setosa", "virginica"], "probabilities": True}
    ],
}


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Answer = httpx.Response | Callable[[Asked], httpx.Response]


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def problem(
    status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None, **headers: str
) -> httpx.Response:
    body = {"status": status, "code": code, "detail": detail, "request_id": "r-1", "errors": errors or []}
    return answer(status, body, content_type="application/problem+json", **headers)


def model(name: str = "iris", **changes: Any) -> dict[str, Any]:
    plain = {
        "name": name, "description": "Flowers.", "tags": {}, "task": "multiclass", "aliases": {"champion": 1}, "latest_version": 1,
        "created_at": NOW, "updated_at": NOW, "url": f"http://test/api/v1/models/{name}/", "signature": IRIS_SIGNATURE,
    }  # fmt: skip
    return {**plain, **changes}


def version(number: int = 1, name: str = "iris", **changes: Any) -> dict[str, Any]:
    plain = {
        "model": name, "version": number, "state": "ready", "reason": None, "runtime": "onnx", "runtime_reason": "It is exact.",
        "task": "multiclass", "sha256": "ab", "size_bytes": 10, "signature": IRIS_SIGNATURE, "parity": None, "example": None,
        "metrics": {"accuracy": 0.9}, "tags": {}, "description": "", "lineage": {"git_commit": "c0ffee"}, "aliases": ["champion"],
        "created_by": "alice", "created_at": NOW, "ready_at": NOW, "url": "http://test/v/1",
    }  # fmt: skip
    return {**plain, **changes}


PREDICTION = {
    "prediction": "virginica", "probabilities": {"setosa": 0.1, "virginica": 0.9}, "model": "iris", "version": 1, "id": "p-1",
}  # fmt: skip
ALICE = {"username": "alice", "email": "alice@acme.example", "role": "owner", "tenant": "acme", "key": None}


@dataclass
class FakeServer:
    """Answers each route by what stands in `routes`: a response, a function, or a list of them to take one after another."""

    routes: dict[tuple[str, str], Answer | list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, method: str, path: str, *answers: Answer) -> "FakeServer":
        self.routes[method, path] = list(answers) if len(answers) > 1 else answers[0]
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = Asked(request.method, url.path, dict(url.params), request.headers, request.read())
        self.asked.append(asked)
        found = self.routes.get(
            (asked.method, asked.path), problem(404, "not_found", "Nothing is here, or it is not yours.")
        )
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return (
            found(asked)
            if callable(found)
            else httpx.Response(found.status_code, headers=found.headers, content=found.content)
        )

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Serve on a socket; yields the address."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as listener:
            thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.server_address[1]}"
            finally:
                listener.shutdown()
                thread.join()


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = httpx.Request(self.command, f"http://test{self.path}", headers=dict(self.headers), content=body)
            response = server.handle(request)
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                if name not in ("content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_PUT = do

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler
