"""The locks, in the one order that works. After `lock_down` this process can compute, and tell its client the result.

Security: it fails closed. A required layer that cannot be put in place raises `LayerMissing` before anything that was
handed over has been read; there is no switch to go on without it.
"""

import os
import signal
from collections.abc import Callable
from typing import TypeVar

from foretell.inference.sandbox import kernel, landlock
from foretell.inference.sandbox.limits import Limits
from foretell.inference.sandbox.privileges import drop_privileges
from foretell.inference.sandbox.rlimits import apply_rlimits
from foretell.inference.sandbox.seccomp import confine_syscalls

T = TypeVar("T")

#: In the order of their application.
LAYERS = ("rlimits", "privileges", "no_new_privs", "landlock", "seccomp")

_state = {"inside": False}


class LayerMissing(Exception):
    """A required layer could not be put in place."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason


def inside() -> bool:
    """Whether this process is a locked child: the only place where an artifact may be opened."""
    return _state["inside"]


def lock_down(limits: Limits, *, uid: int | None, parent: int | None = None) -> None:
    """Apply every layer to this process, for good.

    Parameters
    ----------
    uid
        The throw-away user to become; None where this process is not root.
    parent
        The process to die with.

    Raises
    ------
    LayerMissing
        names the first layer that could not be put in place.
    """
    apply_layers(LAYERS, limits, uid=uid, parent=parent)
    _state["inside"] = True


def apply_layers(names: tuple[str, ...], limits: Limits, *, uid: int | None, parent: int | None = None) -> None:
    """Apply the named layers. The sandbox itself always takes all; fewer of them show what each is good for."""
    ruleset = _attempt("landlock", landlock.build_ruleset) if "landlock" in names else -1
    steps: dict[str, Callable[[], None]] = {
        "rlimits": lambda: apply_rlimits(limits, has_own_uid=uid is not None),
        "privileges": lambda: drop_privileges(uid),
        "no_new_privs": lambda: _renounce_new_privileges(parent),
        "landlock": lambda: landlock.enforce(ruleset),
        "seccomp": confine_syscalls,
    }
    for name in LAYERS:
        if name in names:
            _attempt(name, steps[name])


def _attempt(name: str, step: Callable[[], T]) -> T:
    try:
        return step()
    except (OSError, ValueError, KeyError) as err:
        raise LayerMissing(name, str(err)) from err


def _renounce_new_privileges(parent: int | None) -> None:
    """Gain nothing by executing, be opaque to one's own user, and die with the parent.

    Race condition: the kernel forgets the parent-death signal and the dumpable flag whenever the user changes, so this
    comes after the privileges; and a parent that died before the call is noticed after it.
    """
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if parent is not None:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
