"""The world around a job, with everything in it that is worth attacking, and the means to see whether it was hit."""

import os
import socket
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class World:
    """Canaries, secrets, listeners and a decoy process, for jobs that run as `uid` (None: as this user)."""

    def __init__(self, *, uid: int | None, threads_allowed: int, result_bytes: int) -> None:
        self.uid = uid
        self.marker = f"foretell-{uuid.uuid4().hex}"
        self.secret = f"SECRET-{uuid.uuid4().hex}"
        self._limits = {"threads_allowed": threads_allowed, "result_bytes": result_bytes}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._root = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="foretell-world-")))
        self._root.chmod(0o755)
        self._place_files()
        self._listen()
        self._start_decoy()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop_decoy()
        self._stack.close()

    def target(self, **more: Any) -> dict[str, Any]:
        """Return the addresses of everything worth attacking, for a job."""
        return {
            "canaries": str(self.canaries),
            "secret_file": str(self.secret_file),
            "tenant_directory": str(self.secret_file.parent),
            "planted": str(self._root / "planted"),
            "artifact": str(self.artifact),
            "marker": self.marker,
            "tcp_port": self._tcp.getsockname()[1],
            "udp_port": self._udp.getsockname()[1],
            "unix_path": str(self._root / "unix.sock"),
            "abstract_name": self.marker,
            "decoy_pid": self.decoy.pid,
            "decoy_address": self._decoy_address,
            "sandbox_path": str(self._root / "unix.sock"),
        } | (self._limits | more)

    def escapes(self, outcome: object) -> list[str]:
        """Return what shows that an attack got out, by everything but its own denial; empty where nothing does."""
        found = list(self._hits())
        if self.secret in repr(outcome):
            found.append("a secret came out")
        if isinstance(outcome, dict) and outcome.get("escaped"):
            found.append(str(outcome["escaped"]))
        return found

    def repair(self) -> None:
        """Put back what a successful attack has broken."""
        self._stop_decoy()
        for path in self.canaries.iterdir():
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        (SHARED_MEMORY / self.marker).unlink(missing_ok=True)
        self._place_canaries()
        self._start_decoy()

    def _place_files(self) -> None:
        self.canaries = self._root / "canaries"
        self.canaries.mkdir()
        self.canaries.chmod(0o777)
        tenant = self._root / "tenant-b"
        tenant.mkdir()
        self.secret_file = tenant / self.marker
        self.secret_file.write_text(self.secret)
        self.artifact = self.canaries / "artifact"
        planted = self._root / "planted"
        planted.mkdir()
        (planted / "planted_module.py").write_text(f"SECRET = '{self.secret}'")
        self._place_canaries()

    def _place_canaries(self) -> None:
        for path in (self.canaries / "loose", self.artifact):
            path.write_text("untouched")
            path.chmod(0o666)
            if self.uid is not None:
                os.chown(path, self.uid, self.uid)
        os.utime(self.artifact, (1_000_000_000, 1_000_000_000))

    def _listen(self) -> None:
        self._tcp = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._udp = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._udp.bind(("127.0.0.1", 0))
        self._unix = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        self._unix.bind(str(self._root / "unix.sock"))
        (self._root / "unix.sock").chmod(0o777)
        self._abstract = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        self._abstract.bind("\0" + self.marker)
        for listener in (self._tcp, self._udp, self._unix, self._abstract):
            listener.setblocking(False)
        self._unix.listen()
        self._abstract.listen()

    def _start_decoy(self) -> None:
        self.decoy = subprocess.Popen(
            ["/bin/sleep", "600"], env={"DECOY_SECRET": self.secret}, user=self.uid, cwd="/", start_new_session=True
        )
        try:
            self._decoy_address = self._find_secret_in_decoy()
        except PermissionError:
            self._decoy_address = 0x1000  # a root without CAP_SYS_PTRACE, as in a container, cannot look

    def _find_secret_in_decoy(self) -> int:
        """Return the address of the secret in the decoy's memory, once the program is there."""
        for _ in range(200):
            if Path(f"/proc/{self.decoy.pid}/comm").read_text().strip() == "sleep":
                break
            time.sleep(0.005)
        maps = Path(f"/proc/{self.decoy.pid}/maps").read_text().splitlines()
        start, end = (int(part, 16) for part in next(line for line in maps if "[stack]" in line).split()[0].split("-"))
        with open(f"/proc/{self.decoy.pid}/mem", "rb", 0) as memory:
            memory.seek(start)
            return start + memory.read(end - start).index(self.secret.encode())

    def _stop_decoy(self) -> None:
        self.decoy.kill()
        self.decoy.wait()

    def _hits(self) -> Iterator[str]:
        yield from self._hits_on_files()
        yield from self._hits_on_listeners()
        yield from self._hits_on_decoy()

    def _hits_on_files(self) -> Iterator[str]:
        names = {path.name for path in self.canaries.iterdir()}
        if names != {"loose", "artifact"}:
            yield f"files changed: {sorted(names ^ {'loose', 'artifact'})}"
        if (SHARED_MEMORY / self.marker).exists():
            yield "a file in shared memory"
        if "artifact" in names:
            yield from self._hits_on_artifact()

    def _hits_on_artifact(self) -> Iterator[str]:
        status = self.artifact.stat()
        if self.artifact.read_bytes() != b"untouched":
            yield "the artifact was overwritten"
        if status.st_mtime != 1_000_000_000 or stat.S_IMODE(status.st_mode) != 0o666 or os.listxattr(self.artifact):
            yield "the artifact's metadata changed"

    def _hits_on_listeners(self) -> Iterator[str]:
        for name, listener in (("TCP", self._tcp), ("Unix", self._unix), ("abstract", self._abstract)):
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            connection.close()
            yield f"a {name} connection"
        try:
            yield f"a datagram: {self._udp.recv(100)!r}"
        except BlockingIOError:
            pass

    def _hits_on_decoy(self) -> Iterator[str]:
        if self.decoy.poll() is not None:
            yield "the decoy is dead"
            return
        fields = Path(f"/proc/{self.decoy.pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] != "S":
            yield f"the decoy is in state {fields[0]}"
        if int(fields[16]) != os.getpriority(os.PRIO_PROCESS, 0):
            yield "the decoy's priority changed"
        if "Max open files            5 " in Path(f"/proc/{self.decoy.pid}/limits").read_text():
            yield "the decoy's limits changed"
