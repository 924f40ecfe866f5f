"""Where untrusted artifacts are opened: a locked child process per job, and nothing else in Foretell opens them.

A preloaded parent (``python -m foretell.inference.sandbox``) forks a child for each job; the child locks itself with
rlimits, a throw-away user, no_new_privs, Landlock and seccomp, and only then reads what it is given. See
``docs/sandbox.md``.
"""

from foretell.inference.sandbox.client import Channel, Sandbox
from foretell.inference.sandbox.layers import Layer, layers
from foretell.inference.sandbox.limits import Limits
from foretell.inference.sandbox.lockdown import inside
from foretell.inference.sandbox.spawning import spawn_sandbox

__all__ = ["Channel", "Layer", "Limits", "Sandbox", "inside", "layers", "spawn_sandbox"]
