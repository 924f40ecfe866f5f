"""Foretell as the scripts beside `compare.py` use it: `foretell up` on a temporary home, two web processes, stopped in the end."""

import contextlib
import http.client
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from contenders.artifacts import Case, case_of
from contenders.base import Running, ask
from contenders.foretell import CONTENDERS, client_environment, up

import foretell

(FORETELL,) = CONTENDERS
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Installation:
    home: Path
    running: Running
    client: foretell.Client

    def message(self, key: str | None = None) -> bytes:
        """Return the one-row request to the demo's iris: by the demo's own key, or another."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return FORETELL.message(self.case, self.running, **headers)

    @property
    def case(self) -> Case:
        return case_of("one")

    @property
    def port(self) -> int:
        return self.running.port

    def answer(self, message: bytes | None = None) -> bytes:
        """Return an answer without what is its own: its id."""
        status, body = ask(self.port, message or self.message())
        assert status == 200, (status, body)
        return body.split(b'"id"')[0]

    def web_processes(self) -> list[psutil.Process]:
        below = self.running.roots[0].children(recursive=True)
        return [each for each in below if "--fd" in _words(each)]

    def use_django(self) -> None:
        """Let this process work on the installation's database, as its command line does."""
        os.environ |= {"FORETELL_HOME": str(self.home), "DJANGO_SETTINGS_MODULE": "foretell.config.settings"}
        os.environ |= {"LOG_LEVEL": "ERROR"}
        import django

        django.setup()


@contextlib.contextmanager
def installed(**environment: str) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="foretell-bench-", ignore_cleanup_errors=True) as directory:
        home = Path(directory) / "home"
        Path(directory).chmod(0o711)
        home.mkdir(mode=0o711)
        with up(FORETELL, home, **environment) as running:
            known = client_environment(home)
            with foretell.Client(known["FORETELL_URL"], api_key=known["FORETELL_API_KEY"]) as client:
                yield Installation(home, running, client)


def connection_to_each(installation: Installation) -> dict[int, http.client.HTTPConnection]:
    """Return a kept connection to each web process: the kernel chooses who accepts, so open some until all are met."""
    met: dict[int, http.client.HTTPConnection] = {}
    workers = installation.web_processes()
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
        connection.request("GET", "/livez", headers={"Host": "localhost"})
        connection.getresponse().read()
        own = connection.sock.getsockname()[1]
        owner = next(each.pid for each in workers if own in _peers(each))
        if met.setdefault(owner, connection) is not connection:
            connection.close()
        if len(met) == len(workers):
            return met
    raise RuntimeError(f"only {len(met)} of {len(workers)} web processes accepted a connection")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it ended this moment
        return []


def _peers(process: psutil.Process) -> set[int]:
    return {each.raddr.port for each in process.net_connections("tcp") if each.raddr}


def in_demo() -> Any:
    """Work in the demo's tenant, once `use_django` was called."""
    from foretell.core.tenancy import use_public, use_tenant
    from foretell.tenants.models import Tenant

    with use_public():
        tenant = Tenant.objects.get(name="demo")
    return use_tenant(tenant)


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any, key: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Host": "localhost", "Authorization": f"Bearer {key}", **JSON}
    connection.request(method, path, json.dumps(body), headers)
    answer = connection.getresponse()
    found: dict[str, Any] = json.loads(answer.read())
    return answer.status, found
