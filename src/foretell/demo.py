"""`python -m foretell.demo MARKER`: train the examples here and now, and push them as any author would."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from foretell.embedded.parts import die_with_supervisor

EXAMPLES = ("iris", "titanic", "addition")


def main(marker: Path) -> int:
    """Run each example's `train.py`, all at once; write the marker when all are served, so that it happens once."""
    signal.signal(signal.SIGTERM, _end_all)
    die_with_supervisor()
    trainings = {name: _start(name) for name in EXAMPLES}
    failed = [name for name, process in trainings.items() if process.wait() != 0]
    if failed:
        sys.stderr.write(f"examples that were not pushed: {', '.join(failed)}\n")
        return 1
    marker.write_text(json.dumps(list(EXAMPLES)) + "\n")
    return 0


def examples_dir() -> Path:
    """Return where the examples are: in the source tree, or in the installed package."""
    installed = Path(__file__).parent / "examples"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "examples"


def _end_all(number: int, frame: FrameType | None) -> None:
    """End the trainings too: they are of the group that this process leads, when `foretell up` started it."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    sys.exit(128 + number)


def _start(name: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(examples_dir() / name / "train.py")], env=environment, stdin=subprocess.DEVNULL
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
