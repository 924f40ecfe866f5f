"""foretell doctor: what is wrong with this installation, and the way out."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from foretell import env
from foretell.cli.output import print_json
from foretell.errors import ForetellError

if TYPE_CHECKING:
    from foretell.core.database_backend.roles import RoleState

LEAST_FREE_BYTES = 1 << 30
MOST_CLOCK_DRIFT_S = 5.0
MOST_LOG_LAG_S = 60.0
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True)
class Finding:
    what: str
    state: Literal["ok", "warn", "fail"]
    detail: str


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Look at configuration, disk, sandbox, database, migrations, worker and clock; exit 1 where something fails."""
    findings = list(examine())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        results = Console(highlight=False)
        for finding in findings:
            results.print(f"[{COLOURS[finding.state]}]{finding.state:<5}[/] {finding.what:<22} ", end="")
            results.print(finding.detail, markup=False, soft_wrap=True)
    raise typer.Exit(1 if any(finding.state == "fail" for finding in findings) else 0)


def examine() -> Iterator[Finding]:
    """Yield what is found; a check that breaks is a finding, and the next one goes on."""
    yield from _guarded("configuration", configuration)
    yield from _guarded("disk", disk)
    yield from _guarded("prediction log", prediction_log)
    yield from _guarded("sandbox", sandbox_layers)
    yield from _guarded("database", database)


def configuration() -> Iterator[Finding]:
    home = env.home()
    port = env.integer("PORT", 8000, minimum=1, maximum=65535)
    yield Finding("python", "ok", sys.version.split()[0])
    yield _home(home)
    yield Finding("address", "ok", f"{env.text('HOST', '127.0.0.1')}:{port}")
    if not env.text("SECRET_KEY", ""):
        yield Finding(
            "secret key",
            "ok",
            f"in {home / 'secret_key'}; back it up with the database: versions and keys are signed with it",
        )


def _home(home: Path) -> Finding:
    if not home.exists():
        return Finding("home", "warn", f"{home} is not there yet; `foretell up` makes it")
    if not home.is_dir() or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            "home", "fail", f"{home} is no directory that this user may read and write; set FORETELL_HOME to one"
        )
    return Finding("home", "ok", str(home))


def disk() -> Iterator[Finding]:
    home = env.home()
    where = home if home.exists() else home.parent
    free = shutil.disk_usage(where).free
    state: Literal["ok", "fail"] = "ok" if free >= LEAST_FREE_BYTES else "fail"
    yield Finding(
        "disk",
        state,
        f"{free / 1e9:.1f} GB free at {where}"
        + ("" if state == "ok" else "; at least 1 GB is needed: free some, or move FORETELL_HOME"),
    )


def prediction_log() -> Iterator[Finding]:
    directory = env.home() / "predictions"
    if not directory.is_dir():
        return
    from foretell.segments.lag import drain_lag

    lag = drain_lag(directory)
    aside = [*directory.glob("rejected/*"), *directory.glob("*.damaged")]
    detail = f"{lag.n_bytes:,} bytes wait to be drained"
    if lag.age_s > MOST_LOG_LAG_S:
        detail += f", for {lag.age_s:.0f} s; is a worker running, and the database reachable?"
    if aside:
        detail += f"; {len(aside)} files were set aside, such as {aside[0]}: look at them, then remove them"
    yield Finding("prediction log", "warn" if aside or lag.age_s > MOST_LOG_LAG_S else "ok", detail)


def sandbox_layers() -> Iterator[Finding]:
    from foretell.inference.sandbox import layers

    for layer in layers():
        state: Literal["ok", "warn", "fail"] = "ok" if layer.available else "fail" if layer.required else "warn"
        yield Finding(f"sandbox: {layer.name}", state, layer.detail)
    yield _sandbox_process(env.home() / "run" / "sandbox.sock")


def _sandbox_process(socket_path: Path) -> Finding:
    from foretell.inference.errors import SandboxError
    from foretell.inference.sandbox import Sandbox

    try:
        pid = Sandbox(socket_path).parent_pid()
    except SandboxError:
        return Finding("sandbox: process", "warn", "not running; `foretell up` or `foretell sandbox` starts it")
    return Finding("sandbox: process", "ok", f"process {pid} answers at {socket_path}")


def database() -> Iterator[Finding]:
    from foretell.cli.server.installation import installation
    from foretell.embedded.database import embedded_postgres, is_embedded
    from foretell.embedded.postgres import binaries

    was_running = not is_embedded() or embedded_postgres().is_running
    if is_embedded() and not embedded_postgres().data_dir.exists():
        yield Finding("database", "warn", f"PostgreSQL of {binaries()} is not set up yet; `foretell up` does that")
        return
    with installation(migrated=False):
        from django.db import connection

        from foretell.config.migrating import is_behind
        from foretell.core.poolers import refuse_pooler
        from foretell.core.tenancy import use_public

        with use_public(), connection.cursor() as cursor:
            cursor.execute("SELECT version(), extract(epoch FROM clock_timestamp())")
            version, seconds = cursor.fetchone()
            drift_s = abs(float(seconds) - time.time_ns() / 1e9)
            yield Finding(
                "database", "ok", version.split(" on ")[0] + (" (embedded)" if is_embedded() else " (DATABASE_URL)")
            )
            refuse_pooler(connection)
            yield Finding("pooler", "ok", "none that mixes sessions")
        state: Literal["ok", "fail"] = "ok" if drift_s < MOST_CLOCK_DRIFT_S else "fail"
        yield Finding(
            "clock",
            state,
            f"{drift_s:.1f} s from the database's"
            + ("" if state == "ok" else "; set both by NTP, or leases and expiries go wrong"),
        )
        is_late = is_behind()
        if is_late:
            yield Finding("migrations", "fail", "the public schema is behind; run `foretell migrate`")
        else:
            yield from tenants()
        if was_running and not is_late:
            yield from worker()


def tenants() -> Iterator[Finding]:
    """Look whether each tenant's schema is at this version, and has its role."""
    from django.db import connection

    from foretell.core.database_backend.roles import role_state
    from foretell.tenants.schemas import behind

    late = behind()
    names = ", ".join(tenant.name for tenant in late[:5]) + (f" and {len(late) - 5} more" if len(late) > 5 else "")
    yield Finding(
        "migrations", "fail" if late else "ok",
        f"behind, and answering 503: {names}; run `foretell migrate`" if late else "all schemas are at this version",
    )  # fmt: skip
    yield _roles(role_state(connection))
    yield from _operators()


def _operators() -> Iterator[Finding]:
    """Look whether the operators' host is theirs alone."""
    from django.conf import settings

    from foretell.tenants.resolving import tenant_of_host

    host = settings.OPERATORS_HOST
    if not host:
        return
    if (tenant := tenant_of_host(host)) is not None:
        taken = f"{host} is the tenant {tenant.name}'s as well, whose pages are not there; set FORETELL_OPERATORS_HOST to another"
        yield Finding("operators' host", "fail", taken)
    else:
        yield Finding("operators' host", "ok", host)


def _roles(state: "RoleState") -> Finding:
    from django.conf import settings

    if settings.TENANT_ROLES == "off":
        return Finding(
            "tenant roles", "warn", "off by FORETELL_TENANT_ROLES; tenants are kept apart by the search path alone"
        )
    if state.is_usable:
        return Finding(
            "tenant roles", "ok", f"each of {state.schemas} tenants has its own; the server itself keeps them apart"
        )
    way_out = (
        "run `foretell migrate`"
        if state.may_create
        else "give the connecting user CREATEROLE (ALTER ROLE … CREATEROLE), run `foretell migrate`, restart"
    )
    return Finding(
        "tenant roles", "warn",
        f"{state.schemas - state.usable} of {state.schemas} tenants have none that this user may take on, so that none is used: {way_out}",
    )  # fmt: skip


def worker() -> Iterator[Finding]:
    from foretell.config import readiness

    trouble = readiness.worker()
    yield Finding(
        "worker",
        "warn" if trouble else "ok",
        f"{trouble}; `foretell up` or `foretell worker` starts one" if trouble else "heard of within a minute",
    )


def _guarded(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except ForetellError as err:
        yield Finding(what, "fail", err.message)
    except Exception as err:  # noqa: BLE001  the doctor reports whatever breaks
        yield Finding(what, "fail", f"{type(err).__name__}: {err}")
