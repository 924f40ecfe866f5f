"""The filter, run by a small BPF machine: so the one of each architecture is tested on every architecture."""

import errno
import os
import platform
import re
from pathlib import Path

import pytest

from foretell.inference.sandbox import kernel, seccomp
from foretell.inference.sandbox.syscalls import AARCH64, ALLOWED, CHECKED, NUMBERS, REFUSED, X86_64

PID = 4321
KILL, ALLOW, EPERM, ENOSYS = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386 = 0x40000003

machines = pytest.mark.parametrize("machine", NUMBERS)


def verdict(machine: str, call: str | int, *arguments: int, architecture: int | None = None) -> int:
    number = NUMBERS[machine][call] if isinstance(call, str) else call
    wide = [value & (1 << 64) - 1 for value in (*arguments, 0, 0, 0, 0, 0, 0)][:6]
    words = {0: number, 4: architecture or ARCHITECTURES[machine]}
    for index, value in enumerate(wide):
        words[16 + 8 * index], words[20 + 8 * index] = value & 0xFFFFFFFF, value >> 32
    return run(seccomp.program(machine, PID), words)


def run(program: list[tuple[int, int, int, int]], words: dict[int, int]) -> int:
    accumulator, position = 0, 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        match code:
            case 0x06:
                return value
            case 0x20:
                accumulator = words[value]
            case 0x54:
                accumulator &= value
            case 0x15 | 0x35 | 0x45:
                holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
                position += if_true if holds else if_false
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@machines
def test_what_python_needs_is_allowed(machine: str) -> None:
    for name in ALLOWED:
        if name in NUMBERS[machine]:
            assert verdict(machine, name) == ALLOW, name


@machines
def test_what_code_tries_and_lives_without_is_refused(machine: str) -> None:
    for name in REFUSED:
        if name in NUMBERS[machine]:
            assert verdict(machine, name) == EPERM, name


@machines
def test_everything_else_kills(machine: str) -> None:
    named = set(NUMBERS[machine].values())
    assert {verdict(machine, number) for number in range(600) if number not in named} == {KILL}


@machines
def test_another_architectures_calls_kill(machine: str) -> None:
    assert verdict(machine, 3, architecture=I386) == KILL  # int 0x80 on x86-64
    assert (
        verdict(machine, "getpid", architecture=ARCHITECTURES["aarch64" if machine == "x86_64" else "x86_64"]) == KILL
    )


def test_x32_calls_kill() -> None:
    assert verdict("x86_64", 0x40000000 | X86_64["getpid"]) == KILL
    assert verdict("x86_64", 0x40000000 | 512) == KILL


@machines
def test_a_thread_may_be_made_but_no_process_and_no_namespace(machine: str) -> None:
    glibc, musl = 0x3D0F00, 0x7D0F00
    assert verdict(machine, "clone", glibc) == ALLOW
    assert verdict(machine, "clone", musl) == ALLOW
    for flags in (17, 0, 0x4111, glibc | 0x10000000, glibc | 0x20000000, glibc & ~0x10000, 0x01200011, glibc | 0x2000):
        assert verdict(machine, "clone", flags) == EPERM, hex(flags)
    assert verdict(machine, "clone3", 0, 88) == ENOSYS


@machines
def test_memory_is_never_writable_and_executable(machine: str) -> None:
    private, shared, anonymous = 2, 1, 0x20
    assert verdict(machine, "mmap", 0, 4096, 3, private | anonymous) == ALLOW
    assert verdict(machine, "mmap", 0, 4096, 5, private) == ALLOW  # a library
    for protection, flags in (
        (7, private | anonymous),
        (6, private),
        (4, shared | anonymous),
        (5, private | anonymous),
        (7, shared),
    ):
        assert verdict(machine, "mmap", 0, 4096, protection, flags) == EPERM, (protection, flags)
    assert verdict(machine, "mprotect", 0, 4096, 3) == ALLOW
    assert verdict(machine, "mprotect", 0, 4096, 5) == EPERM
    assert verdict(machine, "mprotect", 0, 4096, 7) == EPERM


@machines
def test_limits_may_be_read_but_not_set(machine: str) -> None:
    assert verdict(machine, "prlimit64", 0, 7, 0, 1 << 40) == ALLOW
    assert verdict(machine, "prlimit64", PID, 7, 0, 1 << 40) == ALLOW
    assert verdict(machine, "prlimit64", 1, 7, 0, 1 << 40) == EPERM
    assert verdict(machine, "prlimit64", 0, 7, 1 << 40, 0) == EPERM  # only the high half of the pointer is set
    assert verdict(machine, "prlimit64", 0, 7, 0xFFFF, 0) == EPERM


@machines
def test_signals_reach_this_process_alone(machine: str) -> None:
    assert verdict(machine, "tgkill", PID, PID + 1, 6) == ALLOW
    assert verdict(machine, "tgkill", PID + 1, PID + 1, 6) == EPERM
    assert verdict(machine, "kill", PID, 9) == EPERM
    f_setown, f_setsig, f_notify = 8, 10, 1026
    for command in (f_setown, f_setsig, f_notify, 15, 1024):
        assert verdict(machine, "fcntl", 3, command) == EPERM


@machines
def test_a_terminal_and_the_process_flags_are_out_of_reach(machine: str) -> None:
    tiocsti, tioclinux = 0x5412, 0x541C
    assert verdict(machine, "ioctl", 0, tiocsti) == EPERM
    assert verdict(machine, "ioctl", 0, tioclinux) == EPERM
    assert verdict(machine, "ioctl", 0, 0x1_0000_5412) == EPERM
    for option in (1, 4, 8, 22, 23, 24, 38, 47):
        assert verdict(machine, "prctl", option) == EPERM


@machines
def test_no_call_is_in_two_lists_and_every_one_has_a_number(machine: str) -> None:
    names = [*ALLOWED, *CHECKED, *REFUSED]
    assert len(names) == len(set(names))
    assert set(names) >= set(NUMBERS[machine])
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])
    assert set(names) == set(X86_64)


@pytest.mark.parametrize(
    ("table", "header"),
    [
        (X86_64, f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h"),
        (AARCH64, "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_the_kernels(table: dict[str, int], header: str) -> None:
    if not Path(header).exists():
        pytest.skip(f"no kernel headers at {header}")
    found = {
        name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", Path(header).read_text())
    }
    found["newfstatat"] = found.get("newfstatat", found.get("fstatat", 0))
    for name, number in table.items():
        if name != "fchmodat2":  # newer than many headers
            assert found[name] == number, name


@pytest.mark.skipif(not seccomp.is_available(), reason="this kernel has no seccomp filters")
def test_the_kernel_takes_the_filter() -> None:
    pid = os.fork()
    if pid == 0:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        seccomp.confine_syscalls()
        os._exit(7 if os.getpid() else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
