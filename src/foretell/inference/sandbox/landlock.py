"""Landlock: which files a child may read. It may write none, execute none, and reach no TCP port.

Only what Python and the libraries need is readable, and after the preload little of that is used. The kernel's
interface grew in versions (ABIs); everything that the running kernel knows is refused.
"""

import ctypes
import functools
import os
import stat
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from foretell.inference.sandbox import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_RETURN_ABI = 1
_RULE_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16}  #: from this ABI on, so many of the lowest bits are known
_TCP_RIGHTS = 0b11  # bind, connect: ABI 4
_SCOPES = 0b11  # abstract Unix sockets, signals: ABI 6

_READABLE = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/urandom", "/dev/random")


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi() -> int:
    """Return the version of Landlock that this kernel speaks; 0 where there is none."""
    if not kernel.IS_LINUX:
        return 0
    try:
        return kernel.syscall(_CREATE_RULESET, None, 0, _RETURN_ABI)
    except OSError:
        return 0


@functools.cache
def readable_paths() -> tuple[Path, ...]:
    """Return the directories of the interpreter, its packages and the shared libraries."""
    paths = sysconfig.get_paths()
    wanted = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    wanted += [sysconfig.get_config_var("LIBDIR") or "", *_READABLE]
    wanted.append(str(Path(__file__).parents[2]))  # foretell itself, wherever an editable install left it
    return tuple(sorted({Path(path).resolve() for path in wanted if path and Path(path).exists()}))


def build_ruleset() -> int:
    """Return a descriptor of the rules. Built while the interpreter's directories can still be reached.

    Raises
    ------
    OSError
        where the kernel has no Landlock or it is switched off.
    """
    version = abi()
    if version < 1:
        raise OSError("the kernel has no Landlock: it takes Linux 5.13 or later with landlock among its LSMs")
    ruleset = _create_ruleset(version)
    _allow(ruleset, readable_paths(), _READ_FILE | _READ_DIR)
    _allow(ruleset, map(Path, _DEVICES), _READ_FILE)
    _allow(ruleset, [Path("/dev/null")], _READ_FILE | _WRITE_FILE | (_TRUNCATE if version >= 3 else 0))
    return ruleset


def enforce(ruleset: int) -> None:
    """Refuse this process, for good, every file but those that the rules name. Needs no_new_privs."""
    kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _create_ruleset(version: int) -> int:
    known_bits = max(bits for since, bits in _FILE_RIGHTS_BY_ABI.items() if since <= version)
    attributes = _RulesetAttributes(
        files=(1 << known_bits) - 1, tcp=_TCP_RIGHTS if version >= 4 else 0, scopes=_SCOPES if version >= 6 else 0
    )
    return kernel.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what cannot be opened is not readable anyway
        try:
            is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            allowed = rights if is_directory else rights & ~_READ_DIR
            rule = _PathRule(allowed=allowed, parent=descriptor)
            kernel.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(descriptor)
