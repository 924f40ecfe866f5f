# ruff: noqa: S108, S605, S606 - attacks, on purpose
"""What whoever wrote an artifact may try. Each function runs as a job, with the addresses of everything worth attacking.

An attack returns what it got; ``{"escaped": …}`` where nothing but its own word could show it. Whether it got out is
judged by the world around it (`world.py`), not by what it says.
"""

import array
import atexit
import ctypes
import encodings.idna  # noqa: F401 - what a locked child needs must be there before
import fcntl
import mmap
import multiprocessing
import os
import pty
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from foretell.inference import errors
from foretell.inference.errors import InputProblem, InvalidInput
from foretell.inference.sandbox import inside

PRELOAD = ("multiprocessing.popen_fork",)

Target = dict[str, Any]
Attack = Callable[[Target], Any]

ATTACKS: dict[str, Attack] = {}
UNSAFE: set[str] = set()  #: not to be let through, not even to show that it would

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.mmap.restype = ctypes.c_void_p
libc.getauxval.restype = ctypes.c_ulong
libc.mremap.restype = ctypes.c_void_p

_X86 = os.uname().machine == "x86_64"


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


def unsafe(function: Attack) -> Attack:
    UNSAFE.add(function.__name__)
    return attack(function)


def call(number: int, *arguments: Any) -> int:
    """Make a raw system call, or raise."""
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def generic(x86: int, arm: int) -> int:
    return x86 if _X86 else arm


def got(condition: Any, what: str = "yes") -> dict[str, Any]:
    return {"escaped": what} if condition else {}


# --- commands -------------------------------------------------------------------------------------------------


@attack
def os_system(target: Target) -> Any:
    os.system(f"touch {target['canaries']}/os_system")


@attack
def subprocess_run(target: Target) -> Any:
    return {"out": subprocess.run(["/bin/cat", target["secret_file"]], capture_output=True).stdout}


@attack
def posix_spawn(target: Target) -> Any:
    os.posix_spawn("/usr/bin/touch", ["touch", f"{target['canaries']}/posix_spawn"], {})
    time.sleep(0.1)


@attack
def execv(target: Target) -> Any:
    os.execv("/usr/bin/touch", ["touch", f"{target['canaries']}/execv"])


@attack
def execveat_memfd(target: Target) -> Any:
    """Run a program that never was a file."""
    descriptor = os.memfd_create("x")
    os.write(descriptor, f"#!/bin/sh\ntouch {target['canaries']}/memfd\n".encode())
    os.execve(f"/proc/self/fd/{descriptor}", ["x"], {})


@attack
def execute_interpreter(target: Target) -> Any:
    program = f"open('{target['canaries']}/interpreter', 'w')"
    os.execv(sys.executable, [sys.executable, "-c", program])


@attack
def load_through_ld_so(target: Target) -> Any:
    loader = next(Path("/lib64").glob("ld-linux*"), Path("/lib/ld-linux-aarch64.so.1"))
    os.execv(loader, [str(loader), "/usr/bin/touch", f"{target['canaries']}/ld"])


@attack
def fork(target: Target) -> Any:
    if os.fork() == 0:
        time.sleep(1.5)
        os._exit(0)
    return got("a child")


@attack
def fork_twice_and_stay(target: Target) -> Any:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1.5)
        os._exit(0)
    return got("an orphan")


@attack
def forkpty(target: Target) -> Any:
    pid, _ = pty.fork()
    if pid == 0:
        time.sleep(1.5)
        os._exit(0)
    return got("a terminal and a child")


@attack
def clone_a_process(target: Target) -> Any:
    pid = call(generic(56, 220), signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        time.sleep(1.5)
        os._exit(0)
    return got("a child")


@attack
def clone3_a_process(target: Target) -> Any:
    arguments = struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = call(435, ctypes.create_string_buffer(arguments), len(arguments))
    if pid == 0:
        time.sleep(1.5)
        os._exit(0)
    return got("a child")


@attack
def multiprocessing_process(target: Target) -> Any:
    process = multiprocessing.get_context("fork").Process(target=Path(target["canaries"], "mp").touch)
    process.start()
    process.join(1)


@unsafe
def fork_bomb(target: Target) -> Any:
    children = 0
    while children < 2_000:
        if os.fork() == 0:
            time.sleep(3)
            os._exit(0)
        children += 1
    return got("2,000 processes")


@unsafe
def thread_bomb(target: Target) -> Any:
    """As many threads as there can be; each costs every other user of the machine."""
    threading.stack_size(65_536)
    count = 0
    try:
        while count < 5_000:
            threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    return got(count > target["threads_allowed"], f"{count} threads")


# --- memory and time ------------------------------------------------------------------------------------------


@unsafe
def memory_bomb(target: Target) -> Any:
    hoard: list[bytes] = []
    while len(hoard) < 64:
        hoard.append(b"x" * (64 << 20))
    return got("4 GiB")


@unsafe
def mmap_bomb(target: Target) -> Any:
    regions = [mmap.mmap(-1, 1 << 30) for _ in range(64)]
    return got(f"{len(regions)} GiB")


@unsafe
def memfd_bomb(target: Target) -> Any:
    descriptor = os.memfd_create("x")
    os.ftruncate(descriptor, 4 << 30)
    return got("4 GiB outside of the address space")


@unsafe
def spin(target: Target) -> Any:
    while True:
        pass


@unsafe
def spin_and_ignore_signals(target: Target) -> Any:
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


@unsafe
def sleep_forever(target: Target) -> Any:
    while True:
        time.sleep(60)


@unsafe
def recurse(target: Target) -> Any:
    sys.setrecursionlimit(1 << 30)

    def deeper(level: int) -> int:
        return deeper(level + 1) + 1

    return {"depth": deeper(0)}


@attack
def exhaust_descriptors(target: Target) -> Any:
    opened: list[int] = []
    try:
        while len(opened) < 4_096:
            opened.append(os.dup(3))
    except OSError:
        pass
    for descriptor in opened:
        os.close(descriptor)
    return got(len(opened) > 64, f"{len(opened)} descriptors")


# --- the end of the process, and its answers ----------------------------------------------------------------


@attack
def segfault(target: Target) -> Any:
    ctypes.string_at(8)


@attack
def abort(target: Target) -> Any:
    os.abort()


@attack
def exit_at_once(target: Target) -> Any:
    os._exit(0)


@attack
def raise_system_exit(target: Target) -> Any:
    sys.exit("bye")


@unsafe
def flood_standard_output(target: Target) -> Any:
    for _ in range(200):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))


@unsafe
def flood_with_a_result(target: Target) -> Any:
    return {"flood": b"x" * (target["result_bytes"] + 1)}


@unsafe
def flood_the_channel(target: Target) -> Any:
    while True:
        os.write(3, b"\0" * (1 << 16))


@unsafe
def promise_an_endless_answer(target: Target) -> Any:
    os.write(3, struct.pack(">Q", (1 << 63) - 1))
    time.sleep(1)


@unsafe
def answer_never_completed(target: Target) -> Any:
    os.write(3, struct.pack(">Q", 1000) + b"x" * 10)
    time.sleep(60)


@unsafe
def answer_garbage(target: Target) -> Any:
    os.write(3, struct.pack(">Q", 8) + b"\xc1garbage")
    time.sleep(1)


@unsafe
def answer_a_list(target: Target) -> Any:
    os.write(3, struct.pack(">Q", 2) + b"\x91\x01")
    time.sleep(1)


@unsafe
def answer_with_numbers_as_names(target: Target) -> Any:
    body = msgspec.msgpack.encode({"id": 1, "ok": {1: 2}})
    os.write(3, struct.pack(">Q", len(body)) + body)
    time.sleep(1)


@unsafe
def answer_out_of_turn(target: Target) -> Any:
    body = msgspec.msgpack.encode({"id": 77, "ok": {"forged": True}})
    os.write(3, struct.pack(">Q", len(body)) + body)
    time.sleep(1)


@unsafe
def answer_with_an_expansion_bomb(target: Target) -> Any:
    """Three million empty maps: three megabytes on the wire, two hundred in memory."""
    count = 3_000_000
    body = b"\x82\xa2id\x01\xa2ok\x81\xa1x\xdd" + struct.pack(">I", count) + b"\x80" * count
    frame = struct.pack(">Q", len(body)) + body
    while frame:
        frame = frame[os.write(3, frame) :]
    time.sleep(1)


@unsafe
def answer_nested_too_deep(target: Target) -> Any:
    body = b"\x82\xa2id\x01\xa2ok\x81\xa1x" + b"\x91" * 100_000 + b"\x01"
    os.write(3, struct.pack(">Q", len(body)) + body)
    time.sleep(1)


@unsafe
def answer_with_an_extension(target: Target) -> Any:
    body = b"\x82\xa2id\x01\xa2ok\x81\xa1x\xc7\x03\x05abc"
    os.write(3, struct.pack(">Q", len(body)) + body)
    time.sleep(1)


@unsafe
def drive_the_terminal(target: Target) -> Any:
    raise RuntimeError("\x1b]0;owned\x07\x1b[2J" + "x" * 5_000_000)


# --- reading --------------------------------------------------------------------------------------------------


def _read(path: str | Path) -> dict[str, Any]:
    return {"read": Path(path).read_bytes()[:100_000]}


@attack
def read_passwd(target: Target) -> Any:
    text = Path("/etc/passwd").read_text()
    return got("root:" in text, text[:100])


@attack
def read_a_world_readable_secret(target: Target) -> Any:
    return _read(target["secret_file"])


@attack
def read_another_tenants_artifact(target: Target) -> Any:
    return {"read": [path.read_bytes() for path in Path(target["tenant_directory"]).rglob("*") if path.is_file()]}


@attack
def list_another_tenants_directory(target: Target) -> Any:
    return {"names": os.listdir(target["tenant_directory"])}


@attack
def read_relative_to_the_working_directory(target: Target) -> Any:
    return {"read": Path(os.path.relpath(target["secret_file"])).read_bytes(), "cwd": os.getcwd()}


@attack
def read_by_openat2(target: Target) -> Any:
    descriptor = call(437, -100, target["secret_file"].encode(), ctypes.create_string_buffer(24), 24)
    return {"read": os.read(descriptor, 1000)}


@attack
def read_by_old_open(target: Target) -> Any:
    descriptor = call(2, target["secret_file"].encode(), 0) if _X86 else os.open(target["secret_file"], 0)
    return {"read": os.read(descriptor, 1000)}


@attack
def map_a_secret(target: Target) -> Any:
    descriptor = os.open(target["secret_file"], os.O_PATH)
    return _read(f"/proc/self/fd/{descriptor}")


@attack
def read_a_secret_by_symlink(target: Target) -> Any:
    link = Path(target["canaries"], "link")
    link.symlink_to(target["secret_file"])
    return _read(link)


@attack
def read_own_environment(target: Target) -> Any:
    return {"environ": dict(os.environ), **_read("/proc/self/environ")}


@attack
def search_the_stack_for_the_first_environment(target: Target) -> Any:
    """The kernel leaves the environment of the exec at the top of the stack, whatever was deleted since."""
    at_execfn = 31
    top = libc.getauxval(ctypes.c_ulong(at_execfn))
    return {"read": ctypes.string_at(top - 1024, 1024)}


@attack
def read_parents_environment(target: Target) -> Any:
    return _read(f"/proc/{os.getppid()}/environ")


@attack
def read_every_environment(target: Target) -> Any:
    return {"all": [path.read_bytes() for path in Path("/proc").glob("[0-9]*/environ") if os.access(path, os.R_OK)]}


@attack
def read_decoys_environment(target: Target) -> Any:
    return _read(f"/proc/{target['decoy_pid']}/environ")


@attack
def read_decoys_command_line(target: Target) -> Any:
    return _read(f"/proc/{target['decoy_pid']}/cmdline")


@attack
def read_through_proc_1_root(target: Target) -> Any:
    return _read(f"/proc/1/root{target['secret_file']}")


@attack
def read_through_parents_root(target: Target) -> Any:
    return _read(f"/proc/{os.getppid()}/root{target['secret_file']}")


@attack
def use_inherited_descriptors(target: Target) -> Any:
    found = {}
    for descriptor in range(1024):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        found[descriptor] = status.st_mode
    surprising = [number for number in found if number > 3 and not target.get("is_control")]
    return got(surprising, str(surprising))


@attack
def open_by_handle(target: Target) -> Any:
    handle = ctypes.create_string_buffer(struct.pack("<II", 8, 1) + struct.pack("<Q", 2))
    return got(call(generic(304, 265), os.open("/", os.O_RDONLY), handle, 0) >= 0)


@attack
def chroot_away(target: Target) -> Any:
    os.chroot("/tmp")
    return got("a root of its own")


@attack
def read_kernel_log(target: Target) -> Any:
    buffer = ctypes.create_string_buffer(4096)
    return got(call(generic(103, 116), 3, buffer, 4096) > 0)


@attack
def import_a_planted_module(target: Target) -> Any:
    sys.path.insert(0, target["planted"])
    return {"planted": __import__("planted_module").SECRET}


# --- writing --------------------------------------------------------------------------------------------------


@attack
def write_a_file(target: Target) -> Any:
    Path(target["canaries"], "write").write_text("x")


@attack
def create_an_empty_file(target: Target) -> Any:
    os.close(os.open(f"{target['canaries']}/empty", os.O_CREAT | os.O_WRONLY))


@attack
def make_a_directory(target: Target) -> Any:
    os.mkdir(f"{target['canaries']}/directory")


@attack
def make_a_symlink(target: Target) -> Any:
    os.symlink("/etc/passwd", f"{target['canaries']}/symlink")


@attack
def make_a_hard_link(target: Target) -> Any:
    os.link(f"{target['canaries']}/loose", f"{target['canaries']}/hard")


@attack
def make_a_fifo(target: Target) -> Any:
    os.mkfifo(f"{target['canaries']}/fifo")


@attack
def make_a_socket_file(target: Target) -> Any:
    socket.socket(socket.AF_UNIX).bind(f"{target['canaries']}/socket")


@attack
def unlink_a_file(target: Target) -> Any:
    os.unlink(f"{target['canaries']}/loose")


@attack
def rename_a_file(target: Target) -> Any:
    os.rename(f"{target['canaries']}/loose", f"{target['canaries']}/renamed")


@attack
def overwrite_an_artifact(target: Target) -> Any:
    Path(target["artifact"]).write_text("evil")


@attack
def truncate_an_artifact(target: Target) -> Any:
    os.truncate(target["artifact"], 0)


@attack
def change_times(target: Target) -> Any:
    os.utime(target["artifact"], (1, 1))


@attack
def change_mode(target: Target) -> Any:
    os.chmod(target["artifact"], 0o600)


@attack
def set_an_attribute(target: Target) -> Any:
    os.setxattr(target["artifact"], "user.evil", b"1")


@attack
def write_shared_memory_file(target: Target) -> Any:
    Path("/dev/shm", target["marker"]).write_text("x")


@attack
def create_a_temporary_file(target: Target) -> Any:
    descriptor = os.open(target["canaries"], os.O_TMPFILE | os.O_RDWR)
    return got(descriptor >= 0, "an unnamed file")


@attack
def write_at_exit(target: Target) -> Any:
    atexit.register(Path(target["canaries"], "atexit").touch)


# --- network --------------------------------------------------------------------------------------------------


@attack
def connect_tcp(target: Target) -> Any:
    with socket.create_connection(("127.0.0.1", target["tcp_port"]), 1) as connection:
        connection.sendall(b"attack")


@attack
def send_udp(target: Target) -> Any:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"attack", ("127.0.0.1", target["udp_port"]))


@attack
def listen_tcp(target: Target) -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return got(server.getsockname()[1], "a port")


@attack
def connect_unix(target: Target) -> Any:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(target["unix_path"])
        connection.sendall(b"attack")


@attack
def connect_abstract(target: Target) -> Any:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + target["abstract_name"])
        connection.sendall(b"attack")


@attack
def connect_the_sandbox_itself(target: Target) -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(target["sandbox_path"])
        return got("a connection to the parent")


@attack
def ask_for_a_name(target: Target) -> Any:
    return got(socket.getaddrinfo("localhost", 80))


@attack
def open_netlink(target: Target) -> Any:
    return got(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno() >= 0)


@attack
def open_a_raw_socket(target: Target) -> Any:
    return got(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno() >= 0)


@attack
def make_a_socket_pair(target: Target) -> Any:
    return got(socket.socketpair())


@attack
def pass_a_descriptor_to_the_client(target: Target) -> Any:
    with socket.socket(fileno=os.dup(3)) as channel:
        socket.send_fds(channel, [b"\0"], [0])
    return got("a descriptor in the client")


# --- other processes ----------------------------------------------------------------------------------------


@attack
def kill_the_decoy(target: Target) -> Any:
    os.kill(target["decoy_pid"], signal.SIGKILL)


@attack
def stop_the_decoy(target: Target) -> Any:
    os.kill(target["decoy_pid"], signal.SIGSTOP)


@attack
def probe_for_the_decoy(target: Target) -> Any:
    os.kill(target["decoy_pid"], 0)
    return got("a signal would arrive")


@attack
def kill_the_decoy_by_thread(target: Target) -> Any:
    call(generic(234, 131), target["decoy_pid"], target["decoy_pid"], signal.SIGKILL)


@attack
def kill_the_decoy_by_pidfd(target: Target) -> Any:
    signal.pidfd_send_signal(os.pidfd_open(target["decoy_pid"]), signal.SIGKILL)


@attack
def queue_a_signal(target: Target) -> Any:
    information = ctypes.create_string_buffer(struct.pack("iii", signal.SIGKILL, 0, -1), 128)
    call(generic(129, 138), target["decoy_pid"], signal.SIGKILL, information)


@unsafe
def kill_the_parent(target: Target) -> Any:
    os.kill(os.getppid(), signal.SIGKILL)


@unsafe
def kill_everything(target: Target) -> Any:
    os.kill(-1, signal.SIGKILL)


@attack
def signal_by_descriptor_owner(target: Target) -> Any:
    """Let the kernel send the signal: F_SETOWN with O_ASYNC."""
    fcntl.fcntl(3, fcntl.F_SETOWN, target["decoy_pid"])
    return got("SIGIO goes to the decoy")


@attack
def trace_the_decoy(target: Target) -> Any:
    return got(call(generic(101, 117), 16, target["decoy_pid"], 0, 0) == 0)


@unsafe
def trace_the_parent(target: Target) -> Any:
    return got(call(generic(101, 117), 16, os.getppid(), 0, 0) == 0)


@attack
def read_the_decoys_memory(target: Target) -> Any:
    buffer = ctypes.create_string_buffer(64)
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 64)
    remote = (ctypes.c_uint64 * 2)(target["decoy_address"], 64)
    call(generic(310, 270), target["decoy_pid"], local, 1, remote, 1, 0)
    return {"read": buffer.raw}


@attack
def write_the_decoys_memory(target: Target) -> Any:
    with open(f"/proc/{target['decoy_pid']}/mem", "r+b", 0) as memory:
        memory.seek(target["decoy_address"])
        memory.write(b"x")
    return got("a byte in the decoy")


@attack
def take_a_descriptor_of_the_parent(target: Target) -> Any:
    pidfd = os.pidfd_open(os.getppid())
    return got(call(438, pidfd, 0, 0) >= 0)


@attack
def change_the_decoys_limits(target: Target) -> Any:
    resource.prlimit(target["decoy_pid"], resource.RLIMIT_NOFILE, (5, 5))


@attack
def change_the_decoys_priority(target: Target) -> Any:
    os.setpriority(os.PRIO_PROCESS, target["decoy_pid"], 19)


@attack
def move_the_decoy(target: Target) -> Any:
    os.sched_setaffinity(target["decoy_pid"], {0})
    return got("the decoy is bound to one core")


@attack
def compare_with_the_decoy(target: Target) -> Any:
    return got(call(generic(312, 272), os.getpid(), target["decoy_pid"], 0, 0, 0) >= 0)


# --- privileges ---------------------------------------------------------------------------------------------


@attack
def become_root(target: Target) -> Any:
    os.setuid(0)
    return got(os.getuid() == 0)


@attack
def run_sudo(target: Target) -> Any:
    subprocess.run(["/bin/su", "-c", f"touch {target['canaries']}/su"], capture_output=True)


@attack
def new_user_namespace(target: Target) -> Any:
    call(generic(272, 97), 0x10000000)
    return got("all capabilities in a namespace")


@attack
def clone_into_a_user_namespace(target: Target) -> Any:
    pid = call(generic(56, 220), 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return got("a process in a namespace")


@attack
def mount_a_file_system(target: Target) -> Any:
    call(generic(165, 40), b"none", b"/tmp", b"tmpfs", 0, None)
    return got("a mount")


@attack
def set_capabilities(target: Target) -> Any:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    everything = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    call(generic(126, 91), header, everything)
    return got("capabilities")


@attack
def be_traceable_again(target: Target) -> Any:
    return got(libc.prctl(4, 1, 0, 0, 0) == 0)


@attack
def outlive_the_parent(target: Target) -> Any:
    return got(libc.prctl(1, 0, 0, 0, 0) == 0)


@attack
def make_readable_memory_executable(target: Target) -> Any:
    return got(call(generic(135, 92), 0x0400000) >= 0, "READ_IMPLIES_EXEC")


@attack
def raise_limits(target: Target) -> Any:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000))
    return got("100,000 files")


@attack
def raise_limits_by_prlimit(target: Target) -> Any:
    resource.prlimit(0, resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return got("endless time")


@attack
def undo_landlock(target: Target) -> Any:
    """A second ruleset that allows everything can only narrow the first."""
    attributes = (ctypes.c_uint64 * 3)(1 << 2, 0, 0)
    ruleset = call(444, attributes, 24, 0)
    rule = ctypes.create_string_buffer(struct.pack("<Qi", 1 << 2, os.open("/", os.O_PATH)))
    call(445, ruleset, 1, rule, 0)
    call(446, ruleset, 0)
    return _read(target["secret_file"])


@attack
def undo_seccomp(target: Target) -> Any:
    allow = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
    code = ctypes.create_string_buffer(allow)
    program = ctypes.create_string_buffer(struct.pack("HP", 1, ctypes.addressof(code)))
    call(generic(317, 277), 1, 0, program)
    return {"out": os.system(f"touch {target['canaries']}/seccomp")}


# --- the kernel's larger doors ------------------------------------------------------------------------------


@attack
def io_uring(target: Target) -> Any:
    return got(call(425, 8, ctypes.create_string_buffer(120)) >= 0)


@attack
def load_bpf(target: Target) -> Any:
    attributes = ctypes.create_string_buffer(struct.pack("IIII", 1, 4, 4, 1), 128)
    return got(call(generic(321, 280), 0, attributes, 128) >= 0)


@attack
def perf_events(target: Target) -> Any:
    attributes = ctypes.create_string_buffer(struct.pack("II", 1, 128), 128)
    return got(call(generic(298, 241), attributes, 0, -1, -1, 0) >= 0)


@attack
def user_faults(target: Target) -> Any:
    return got(call(generic(323, 282), 1) >= 0)


@attack
def add_a_key(target: Target) -> Any:
    return got(call(generic(248, 217), b"user", b"foretell", b"x", 1, -3) >= 0)


@attack
def system_v_memory(target: Target) -> Any:
    return got(call(generic(29, 194), 0, 4096, 0o1600) >= 0)


@attack
def system_v_messages(target: Target) -> Any:
    return got(call(generic(68, 186), 0, 0o1600) >= 0)


@attack
def push_into_the_terminal(target: Target) -> Any:
    fcntl.ioctl(0, termios.TIOCSTI, b"x")
    return got("a key press")


@attack
def x32_calls(target: Target) -> Any:
    """Reach the same calls by other numbers, which an allow-list by number may have forgotten."""
    return got(call(0x40000000 | 39) > 0) if _X86 else {}


@attack
def load_a_kernel_module(target: Target) -> Any:
    return got(call(generic(175, 105), b"", 0, b"") >= 0)


@attack
def reboot(target: Target) -> Any:
    call(generic(169, 142), 0xFEE1DEAD, 672274793, 0)  # disarms Ctrl-Alt-Del, no more


# --- new code in memory ---------------------------------------------------------------------------------------

# mov eax, 42; ret — or mov w0, #42; ret
_CODE = b"\xb8\x2a\x00\x00\x00\xc3" if _X86 else b"\x40\x05\x80\x52\xc0\x03\x5f\xd6"
_READ, _WRITE, _EXEC = 1, 2, 4
_SHARED, _PRIVATE, _ANONYMOUS = 1, 2, 0x20
_FAILED = ctypes.c_void_p(-1).value


def _map(protection: int, flags: int, descriptor: int = -1) -> int:
    address: int | None = libc.mmap(None, ctypes.c_size_t(4096), protection, flags, descriptor, ctypes.c_long(0))
    if address in (None, _FAILED):
        raise OSError(ctypes.get_errno(), "mmap")
    return address


def _protect(address: int, protection: int) -> None:
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), protection):
        raise OSError(ctypes.get_errno(), "mprotect")


def _run(address: int) -> dict[str, Any]:
    return got(ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 42, "new code ran")


@attack
def shellcode_in_writable_memory(target: Target) -> Any:
    address = _map(_READ | _WRITE | _EXEC, _PRIVATE | _ANONYMOUS)
    ctypes.memmove(address, _CODE, len(_CODE))
    return _run(address)


@attack
def shellcode_by_mprotect(target: Target) -> Any:
    address = _map(_READ | _WRITE, _PRIVATE | _ANONYMOUS)
    ctypes.memmove(address, _CODE, len(_CODE))
    _protect(address, _READ | _EXEC)
    return _run(address)


@attack
def shellcode_by_pkey_mprotect(target: Target) -> Any:
    address = _map(_READ | _WRITE, _PRIVATE | _ANONYMOUS)
    ctypes.memmove(address, _CODE, len(_CODE))
    call(generic(329, 288), address, 4096, _READ | _EXEC, -1)
    return _run(address)


@attack
def shellcode_by_a_doubled_mapping(target: Target) -> Any:
    """The same pages twice: once executable, once made writable."""
    executable = _map(_READ | _EXEC, _SHARED | _ANONYMOUS)
    double = libc.mremap(ctypes.c_void_p(executable), ctypes.c_size_t(0), ctypes.c_size_t(4096), 1)
    _protect(double, _READ | _WRITE)
    ctypes.memmove(double, _CODE, len(_CODE))
    return _run(executable)


@attack
def shellcode_in_a_memory_file(target: Target) -> Any:
    descriptor = os.memfd_create("x")
    os.write(descriptor, _CODE.ljust(4096, b"\0"))
    return _run(_map(_READ | _EXEC, _SHARED, descriptor))


@attack
def shellcode_in_a_planted_library(target: Target) -> Any:
    library = Path(target["canaries"], "evil.so")
    library.write_bytes(_CODE.ljust(4096, b"\0"))
    return _run(_map(_READ | _EXEC, _PRIVATE, os.open(library, os.O_RDONLY)))


@attack
def map_a_readable_secret_as_code(target: Target) -> Any:
    address = _map(_READ | _EXEC, _PRIVATE, os.open(target["secret_file"], os.O_RDONLY))
    return {"read": ctypes.string_at(address, 64)}


def _as_job(function: Attack) -> Callable[[Target], dict[str, Any]]:
    def job(target: Target) -> dict[str, Any]:
        result = function(target)
        return result if isinstance(result, dict) else {}

    return job


# --- well-meant jobs ------------------------------------------------------------------------------------------


def echo(payload: Target) -> Target:
    return payload


def identity(payload: Target) -> Target:
    return {"pid": os.getpid(), "parent": os.getppid(), "uid": os.getuid(), "inside": inside(), "cwd": os.getcwd()}


def use_threads(payload: Target) -> Target:
    with ThreadPoolExecutor(4) as executor:
        return {"squares": list(executor.map(lambda number: number * number, range(10)))}


def fail(payload: Target) -> Target:
    raise getattr(errors, payload["kind"])(payload["message"], **payload.get("details", {}))


def fail_with_problems(payload: Target) -> Target:
    raise InvalidInput(
        InputProblem("age", "required", "age is missing"), InputProblem("fare", "not_a_number", "fare is 'x'")
    )


def counter(payload: Target) -> Callable[[Target], Target]:
    state = {"count": payload["start"]}

    def count(call_payload: Target) -> Target:
        state["count"] += call_payload.get("step", 1)
        if call_payload.get("action") == "sleep":
            time.sleep(60)
        if call_payload.get("action") == "die":
            os.abort()
        if call_payload.get("action") == "raise":
            fail({"kind": "RunFailed", "message": "no"})
        return state.copy()

    return count


def never_opens(payload: Target) -> Callable[[Target], Target]:
    fail({"kind": "MissingPackage", "message": "needs nothing_like_it", "details": {"package": "nothing_like_it"}})
    raise AssertionError


def big(payload: Target) -> Target:
    return {"values": list(range(payload["count"])), "raw": array.array("d", range(payload["count"])).tobytes()}


JOBS = {name: _as_job(function) for name, function in ATTACKS.items()}
JOBS |= {function.__name__: function for function in (echo, identity, use_threads, fail, fail_with_problems, big)}
SERVERS = {"counter": counter, "never_opens": never_opens}
