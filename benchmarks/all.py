"""All that the goals are judged by, one program after the other: `python benchmarks/all.py [--quick] [--peers] [--only NAME…]`.

Each has so many minutes, and is stopped after them; what fails is told, and the others run all the same. With `--quick`, a smoke of
everything in some ten minutes, of which nothing is kept.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
STOP_WITHIN_S = 90.0  # to end the servers that it started


class Program(NamedTuple):
    name: str
    minutes: float  # at most


PROGRAMS = (
    Program("foundation", 5),
    Program("compare", 50),
    Program("fairness", 5),
    Program("many_tenants", 40),
    Program("tenants", 15),
    Program("rest_catalogue", 30),
    Program("limits", 8),
    Program("logins", 6),
    Program("swaps", 5),
    Program("propagation", 5),
    Program("prediction_log", 10),
    Program("restarts", 25),
)


def main() -> None:
    options = arguments()
    chosen = [each for each in PROGRAMS if not options.only or each.name in options.only]
    told = [run(each, options) for each in chosen]
    print("\n" + "\n".join(f"{each.name:<16} {what}" for each, what in zip(chosen, told, strict=True)))
    sys.exit(any("done" not in what for what in told))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short run of each, which is only shown")
    parser.add_argument("--peers", action="store_true", help="with the dedicated servers of others")
    parser.add_argument("--only", nargs="+", default=[], choices=[each.name for each in PROGRAMS], metavar="NAME")
    return parser.parse_args()


def run(program: Program, options: argparse.Namespace) -> str:
    """Run a program to its end or its limit; return what became of it."""
    print(f"\n=== {program.name}.py, at most {program.minutes:.0f} minutes ===\n", flush=True)
    extra = [
        *(["--quick"] if options.quick else []),
        *(["--peers"] if options.peers and program.name == "compare" else []),
    ]
    began = time.monotonic()
    with subprocess.Popen([sys.executable, HERE / f"{program.name}.py", *extra]) as process:
        try:
            code: int | None = process.wait(program.minutes * 60)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            stop(process)
    took = f"{(time.monotonic() - began) / 60:.1f} minutes"
    if code is None:
        return f"STOPPED after {took}: not done in its time"
    return f"done in {took}" if code == 0 else f"FAILED after {took}, with exit code {code}; its lines are above"


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    main()
