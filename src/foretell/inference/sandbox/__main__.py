"""``python -m foretell.inference.sandbox --socket PATH``: the preloaded parent of the locked children."""

import argparse
import os
import sys
from pathlib import Path

from foretell.inference.sandbox import kernel
from foretell.inference.sandbox.environment import forget_environment
from foretell.inference.sandbox.preloading import load_jobs
from foretell.inference.sandbox.serving import harden, serve


def main() -> int:
    arguments = _parse()
    if not kernel.IS_LINUX:
        print("The sandbox needs Linux: Landlock and seccomp are its locks.", file=sys.stderr)  # noqa: T201
        return 69
    forget_environment()
    os.closerange(3, 1 << 20)
    starter = os.pidfd_open(os.getppid()) if arguments.die_with_parent else None
    harden()
    serve(arguments.socket, load_jobs(arguments.jobs), die_with=starter)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m foretell.inference.sandbox", description=__doc__)
    parser.add_argument(
        "--socket", type=_absolute, required=True, help="where to listen; a new directory is made private (0700)"
    )
    parser.add_argument("--jobs", default="foretell.inference.jobs", help="module with JOBS, SERVERS and PRELOAD")
    parser.add_argument(
        "--die-with-parent", action="store_true", help="stop when the process that started this one ends"
    )
    return parser.parse_args()


def _absolute(text: str) -> Path:
    return Path(text).absolute()


if __name__ == "__main__":
    sys.exit(main())
