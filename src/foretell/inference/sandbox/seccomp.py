"""The seccomp filter: which system calls a child may make, and with which arguments.

An allow-list. What well-meant code tries as well (a subprocess, a socket, a file to write) gets EPERM and a chance to
go on; whatever else is called, or is called through another architecture's door, kills the child.
"""

import ctypes
import errno
import os
import struct

from foretell.inference.sandbox import kernel
from foretell.inference.sandbox.syscalls import ALLOWED, NUMBERS, REFUSED

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2
_ALL_THREADS = 1  # SECCOMP_FILTER_FLAG_TSYNC

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # set in the number of a call that uses x86-64's 32-bit convention

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45

_KILL = (_RETURN, 0, 0, 0x80000000)
_ALLOW = (_RETURN, 0, 0, 0x7FFF0000)
_EPERM = (_RETURN, 0, 0, 0x00050000 | errno.EPERM)
_ENOSYS = (_RETURN, 0, 0, 0x00050000 | errno.ENOSYS)

_LOAD_NUMBER = (_LOAD, 0, 0, 0)
_LOAD_ARCHITECTURE = (_LOAD, 0, 0, 4)

# A thread of this process, and nothing that could be a new process or a new namespace.
_THREAD_FLAGS = 0x50F00  # VM, FS, FILES, SIGHAND, THREAD, SYSVSEM
_THREAD_OPTIONS = 0x1780000  # SETTLS, PARENT_SETTID, CHILD_CLEARTID, DETACHED, CHILD_SETTID: thread bookkeeping
_PROT_WRITE, _PROT_EXEC = 2, 4
_MAP_ANONYMOUS = 0x20
_IOCTLS = (0x5401, 0x5421, 0x541B, 0x5450, 0x5451)  # TCGETS (isatty), FIONBIO, FIONREAD, FIONCLEX, FIOCLEX
_FCNTLS = (0, 1, 2, 3, 4, 1030)  # DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC; no F_SETOWN, which signals others
_PRCTLS = (3, 15, 16)  # GET_DUMPABLE, SET_NAME, GET_NAME

Instruction = tuple[int, int, int, int]


def is_available() -> bool:
    """Whether this kernel filters system calls and can kill a whole process for one."""
    if not kernel.IS_LINUX or kernel.machine() not in _SECCOMP:
        return False
    try:
        kernel.syscall(_SECCOMP[kernel.machine()], _GET_ACTION_AVAILABLE, 0, ctypes.byref(ctypes.c_uint32(_KILL[3])))
    except OSError:
        return False
    return True


def confine_syscalls() -> None:
    """Install the filter on every thread of this process, for good. Needs no_new_privs.

    Raises
    ------
    OSError
        where the kernel or the architecture has no such filter.
    """
    machine = kernel.machine()
    if machine not in _SECCOMP:
        raise OSError(f"no system call table for {machine}; there is one for {', '.join(_SECCOMP)}")
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program(machine, os.getpid()))
    body = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(body))  # struct sock_fprog
    kernel.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _ALL_THREADS, ctypes.create_string_buffer(header, len(header)))


def program(machine: str, pid: int) -> list[Instruction]:
    """Return the filter for `machine` and the process `pid`, as BPF instructions."""
    numbers = NUMBERS[machine]
    code = [
        _LOAD_ARCHITECTURE,
        (_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        _KILL,
        _LOAD_NUMBER,
        (_AT_LEAST, 0, 1, _X32),
        _KILL,
    ]
    bodies = {name: [_ALLOW] for name in ALLOWED} | _checked(pid) | {name: [_EPERM] for name in REFUSED}
    for name, body in bodies.items():
        if name in numbers:
            code += [(_EQUAL, 0, len(body), numbers[name]), *body]
    return [*code, _KILL]


def _checked(pid: int) -> dict[str, list[Instruction]]:
    return {
        "mmap": _refuse_new_code(),
        "mprotect": [_low(2), (_ANY_BIT, 0, 1, _PROT_EXEC), _EPERM, _ALLOW],
        "clone": [_low(0), (_AND, 0, 0, ~_THREAD_OPTIONS & 0xFFFFFFFF), (_EQUAL, 0, 1, _THREAD_FLAGS), _ALLOW, _EPERM],
        "clone3": [_ENOSYS],  # its flags are in memory, out of a filter's sight; the C library falls back to clone
        "ioctl": _only(1, _IOCTLS),
        "fcntl": _only(1, _FCNTLS),
        "prctl": _only(0, _PRCTLS),
        "prlimit64": _read_own_limits(pid),
        "tgkill": _only(0, (pid,)),  # abort() and raise()
    }


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * argument)  # little-endian on both architectures


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, 20 + 8 * argument)


def _only(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Allow these values of a 32-bit argument."""
    tests = [step for value in values for step in ((_EQUAL, 0, 1, value), _ALLOW)]
    return [_low(argument), *tests, _EPERM]


def _refuse_new_code() -> list[Instruction]:
    """Refuse memory that is writable and executable, and executable memory that is not a file's.

    Security: anonymous executable memory would be enough even when not writable. ``mremap`` doubles a shared mapping,
    and the double can be made writable.
    """
    return [
        _low(2),
        (_AND, 0, 0, _PROT_WRITE | _PROT_EXEC),
        (_EQUAL, 0, 1, _PROT_WRITE | _PROT_EXEC),
        _EPERM,
        (_ANY_BIT, 1, 0, _PROT_EXEC),
        _ALLOW,
        _low(3),
        (_ANY_BIT, 0, 1, _MAP_ANONYMOUS),
        _EPERM,
        _ALLOW,
    ]


def _read_own_limits(pid: int) -> list[Instruction]:
    """Allow prlimit64 on this process when it sets nothing (the pointer to the new limit is null)."""
    return [
        _low(0),
        (_EQUAL, 1, 0, 0),
        (_EQUAL, 0, 5, pid),
        _low(2),
        (_EQUAL, 0, 3, 0),
        _high(2),
        (_EQUAL, 0, 1, 0),
        _ALLOW,
        _EPERM,
    ]
