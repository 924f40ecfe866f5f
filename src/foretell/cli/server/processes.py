"""foretell up | web | worker | sandbox: everything on this machine, or one part of it."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from foretell import env
from foretell.cli.server.installation import installation, require_server, set_up_django


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("web")(web)
    app.command("worker")(worker)
    app.command("sandbox")(sandbox)


def up() -> None:
    """Serve everything on this machine: database, web, worker and sandbox, until Ctrl-C."""
    require_server()
    from foretell.cli.server.up import run

    raise typer.Exit(run())


def web(
    fd: Annotated[
        int | None, typer.Option(hidden=True, help="Serve as one process on a listening socket that was inherited.")
    ] = None,
) -> None:
    """Serve HTTP at HOST:PORT with WEB_CONCURRENCY processes; the database and the sandbox run elsewhere."""
    require_server()
    if fd is None:
        from foretell.cli.server.up import run_web_only

        with installation(or_snapshot=True):
            raise typer.Exit(run_web_only())
    from foretell.embedded.parts import die_with_supervisor

    die_with_supervisor()
    _serve(socket.socket(fileno=fd))


def worker() -> None:
    """Build versions and keep house: the jobs of the queue, until SIGTERM."""
    require_server()
    from foretell.embedded.parts import die_with_supervisor

    die_with_supervisor()
    with installation():
        from foretell.config.worker import run_worker

        run_worker()


def sandbox(
    path: Annotated[
        Path | None, typer.Option("--socket", help="Where to listen; default $FORETELL_HOME/run/sandbox.sock.")
    ] = None,
) -> None:
    """Open untrusted artifacts in locked children, until SIGTERM."""
    require_server()
    where = path or env.home() / "run" / "sandbox.sock"
    os.execv(sys.executable, [sys.executable, "-m", "foretell.inference.sandbox", "--socket", str(where)])  # noqa: S606  a program of ours


def _serve(listener: socket.socket) -> None:
    from foretell.embedded.parts import say_ready
    from foretell.webserver.server import serve

    set_up_django()
    from foretell.config.server import server_bounds

    serve("foretell.config.asgi:application", listener, bounds=server_bounds(), on_ready=say_ready)
