"""What `foretell up` and `foretell web` do: start the parts in order, say where to look, watch, and stop everything."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foretell import env
from foretell.cli.output import say
from foretell.embedded.database import DatabaseWatch, embedded_postgres, is_embedded, running_database
from foretell.embedded.home import locked_home, prepare_home
from foretell.embedded.listening import listen, turn_away
from foretell.embedded.parts import SUPERVISOR_VARIABLE, Part
from foretell.embedded.supervisor import PrefixedLog, Supervisor
from foretell.errors import ForetellError

READY_WITHIN_S = 60.0
HELPER_WITHIN_S = 600.0
REFUSE_AFTER_S = 0.6  # once the web processes listen no more (Bounds.accept_s), nobody needs to wait to be refused
WEB_DRAIN_S, WORKER_DRAIN_S, SANDBOX_DRAIN_S = 25.0, 30.0, 5.0


class StartFailed(ForetellError):
    code = "start_failed"


def run() -> int:
    """Serve everything until a signal; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "foretell.config.settings")
    home, host, port = env.home(), env.text("HOST", "127.0.0.1"), env.integer("PORT", 8000, minimum=1, maximum=65535)
    url = f"http://{shown_host(host)}:{port}"
    prepare_home(home)
    with locked_home(home, url=url), listen(host, port) as listener:
        supervisor, log = Supervisor(), PrefixedLog()
        supervisor.handle_signals()
        web = web_parts(listener.fileno(), log)
        worker = Part("worker", ["foretell.cli", "worker"], WORKER_DRAIN_S, log)
        sandbox = sandbox_part(home, log)
        try:
            supervisor.start(sandbox)  # Optimization: it imports scikit-learn while the database starts
            with database(supervisor, log):
                try:
                    _serve(supervisor, home, url, port, host, web, worker)
                finally:  # while the database is still there for what they have to finish
                    supervisor.parts = [*web, worker, sandbox]
                    _stop(supervisor, listener)
        finally:
            supervisor.stop()
            (home / "run" / "sandbox.sock").unlink(missing_ok=True)
    say("Stopped. Nothing is left running; the data is in " + str(home))
    return 0


def run_web_only() -> int:
    """Serve HTTP with several processes behind one socket, and nothing else."""
    host, port = env.text("HOST", "127.0.0.1"), env.integer("PORT", 8000, minimum=1, maximum=65535)
    with listen(host, port) as listener:
        supervisor = Supervisor()
        supervisor.handle_signals()
        try:
            supervisor.start(*web_parts(listener.fileno(), PrefixedLog()))
            say(f"Serving at http://{shown_host(host)}:{port}")
            supervisor.watch()
        finally:
            _stop(supervisor, listener)
    return 0


def web_parts(descriptor: int, log: PrefixedLog) -> list[Part]:
    processes = env.integer("WEB_CONCURRENCY", 2, minimum=1, maximum=256)
    arguments = ["foretell.cli", "web", "--fd", str(descriptor)]
    return [
        Part(f"web.{number}", arguments, WEB_DRAIN_S, log, inherits=[descriptor], drains=True)
        for number in range(1, processes + 1)
    ]


def sandbox_part(home: Path, log: PrefixedLog) -> Part:
    arguments = ["foretell.inference.sandbox", "--socket", str(home / "run" / "sandbox.sock"), "--die-with-parent"]
    return Part("sandbox", arguments, SANDBOX_DRAIN_S, log)


@contextmanager
def database(supervisor: Supervisor, log: PrefixedLog) -> Iterator[None]:
    """Have a database: the one of DATABASE_URL, or the embedded one, which is watched and in the end stopped."""
    if is_embedded():
        server = embedded_postgres()
        log("database", "starting PostgreSQL" if server.data_dir.exists() else "setting up PostgreSQL (once)")
    with running_database():
        if is_embedded():
            supervisor.watches.append(DatabaseWatch(server, log))
        yield


def shown_host(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104  compared, not bound


def _serve(supervisor: Supervisor, home: Path, url: str, port: int, host: str, web: list[Part], worker: Part) -> None:
    demo = _prepare(supervisor, url)
    if supervisor.is_stopping:
        return
    supervisor.start(worker, *web)
    if not supervisor.wait_until(_answers(host, port), within_s=READY_WITHIN_S):
        if supervisor.is_stopping:
            return
        raise StartFailed(
            "The web processes do not answer; their lines above say why. `foretell doctor` looks further."
        )
    if demo is not None:
        _push_examples(supervisor, home, demo)
    if not supervisor.is_stopping:
        _welcome(home, demo, url)
    supervisor.watch()


def _stop(supervisor: Supervisor, listener: socket.socket) -> None:
    """Say that it ends, for as long as a balancer needs to hear of it; then let nobody in, and let those finish who are."""
    supervisor.announce_stop(wait_s=env.integer("FORETELL_BALANCER_S", 0, minimum=0, maximum=300))
    turn_away(listener)
    closing = threading.Timer(REFUSE_AFTER_S, listener.close)
    closing.daemon = True
    closing.start()
    supervisor.stop()


def _prepare(supervisor: Supervisor, url: str) -> dict[str, Any] | None:
    with tempfile.TemporaryFile() as answer:
        code = _run(supervisor, ["foretell.config.prepare", url], stdout=answer.fileno())
        if supervisor.is_stopping:
            return None
        if code != 0:
            raise StartFailed("The database could not be prepared; the lines above say why.")
        answer.seek(0)
        demo: dict[str, Any] | None = json.loads(answer.read().splitlines()[-1])["demo"]
        return demo


def _run(supervisor: Supervisor, arguments: list[str], *, stdout: int, environment: Mapping[str, str] = {}) -> int:
    """Run a Python module to its end, in a group of its own: Ctrl-C reaches the supervisor, which then ends that and its children."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, stdout=stdout, start_new_session=True,
        env={**os.environ, **environment, SUPERVISOR_VARIABLE: str(os.getpid())},
    )  # fmt: skip
    if not supervisor.wait_until(lambda: process.poll() is not None, within_s=HELPER_WITHIN_S):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _answers(host: str, port: int) -> Callable[[], bool]:
    """Return a question: is the whole of it ready? Asked of a web process, which looks at database and worker as well."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound

    def is_ready() -> bool:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    return is_ready


def _push_examples(supervisor: Supervisor, home: Path, demo: dict[str, Any]) -> None:
    """Train the examples and push them through the public client, each once; Ctrl-C ends that too."""
    if (home / "examples.json").exists():
        return
    supervisor.wait_until((home / "run" / "sandbox.sock").exists, within_s=READY_WITHIN_S)
    way = {"FORETELL_URL": demo["url"], "FORETELL_API_KEY": demo["api_key"], "FORETELL_TENANT": demo["tenant"]}
    code = _run(supervisor, ["foretell.demo", str(home / "examples.json")], stdout=sys.stderr.fileno(), environment=way)
    if code != 0 and not supervisor.is_stopping:
        say("[yellow]The example models could not all be pushed; the next start tries again.[/] Everything else works.")


def _welcome(home: Path, demo: dict[str, Any] | None, url: str) -> None:
    if demo is None:
        say(f"\n[bold]Foretell serves at {url}[/]\nMake a tenant: foretell tenant create acme\n")
        return
    iris = json.dumps(
        {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}
    )
    say(
        f"\n[bold]Foretell serves at {url}[/]\n\n"
        f"  in the browser   {url}/            user [bold]{demo['username']}[/], password [bold]{demo['password']}[/]\n"
        f"  a form           {url}/models/titanic/\n"
        f"  the API's docs   {url}/api/v1/docs/\n"
        f"  for programs     {home / 'demo.json'}\n"
    )
    say("  a first prediction, in another terminal:\n")
    sys.stderr.write(
        f"  curl -s {url}/api/v1/models/iris/predict/ -H 'Authorization: Bearer {demo['api_key']}' \\\n"
        f"    -H 'Content-Type: application/json' -d '{iris}'\n\n"
    )
    say("Ctrl-C stops everything.\n")
