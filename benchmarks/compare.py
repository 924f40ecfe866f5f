"""Foretell against others, interleaved, on loopback: `python benchmarks/compare.py [--only NAME…] [--quick] [--peers]`.

All contenders run with two worker processes; one at a time is under load, and the others stand still meanwhile. Writes results.json,
results.md and results.svg. Stops everything it started.
"""

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from compared import verdicts_of
from contenders import contenders
from contenders.artifacts import case_of, write_models
from contenders.base import CannotRun, Contender, Running
from measuring import Measurement, Shape, alone, measure, median
from results import keep
from spending import pss_mb

ROUNDS, FEWEST_ROUNDS = 5, 3
Found = dict[str, dict[str, list[Measurement]]]


def main() -> None:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = [
        each
        for each in contenders(peers=options.peers or bool(options.only))
        if not options.only or each.name in options.only
    ]
    with tempfile.TemporaryDirectory(prefix="foretell-compare-", ignore_cleanup_errors=True) as directory:
        place = Path(directory)
        place.chmod(0o711)
        write_models(place / "models")
        with contextlib.ExitStack() as stack:
            running, cannot = start_all(chosen, place, stack)
            found = rounds(running, cannot, options)
            memory = {each.name: pss_mb(its.processes()) for each, its in running.items()}
    compared = summary(chosen, running, found, memory, cannot)
    keep("compare", verdicts=verdicts_of(compared), compared=compared, is_whole=is_whole(options, found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--shape", nargs="+", default=[], metavar="SHAPE", help='such as "one, 32" or "one, 200/s"')
    parser.add_argument("--peers", action="store_true", help="with the dedicated servers too")
    parser.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--minutes", type=float, default=30.0, help="begin no round after so many")
    parser.add_argument("--rates", type=int, nargs="*", default=[200, 2_000], help="fixed arrivals per second")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


def is_whole(options: argparse.Namespace, found: Found) -> bool:
    """Whether the results may stand for all: medians of fewer rounds, or of some contenders, are only shown."""
    rounds_done = len(found["foretell"]["one, 32"]) if "foretell" in found else 0
    return rounds_done >= FEWEST_ROUNDS and not options.only and not options.shape


def start_all(
    chosen: list[Contender], place: Path, stack: contextlib.ExitStack
) -> tuple[dict[Contender, Running], dict[str, str]]:
    running: dict[Contender, Running] = {}
    cannot: dict[str, str] = {}
    for each in chosen:
        try:
            running[each] = stack.enter_context(each.start(each, place))
            print(f"{each.name}: up after {running[each].cold_start_s:.1f} s", flush=True)
        except CannotRun as error:
            cannot[each.name] = str(error)
            print(f"{each.name}: {error}", flush=True)
    return running, cannot


def shapes(options: argparse.Namespace) -> list[Shape]:
    brief = 0.4 if options.quick else 0.8
    every = [
        Shape("one", 32, 2 * brief),
        Shape("one", 1, brief),
        *(Shape("one", 32, brief, rate) for rate in options.rates),
        Shape("thousand", 1, brief),
        Shape("thousand", 32, brief),
    ]
    return [shape for shape in every if not options.shape or shape.name in options.shape]


def rounds(running: dict[Contender, Running], cannot: dict[str, str], options: argparse.Namespace) -> Found:
    found: Found = defaultdict(lambda: defaultdict(list))
    last_begin = time.monotonic() + options.minutes * 60
    for number in range(options.rounds):
        if time.monotonic() > last_begin:
            print(f"no more rounds: {options.minutes:.0f} minutes are over", flush=True)
            break
        for shape in shapes(options):
            for each, its in running.items():
                if each.name not in cannot and is_for(each, shape) and is_within_reach(found[each.name], shape):
                    try_one(each, its, shape, running, found, cannot)
        print(f"round {number + 1} of {options.rounds}", flush=True)
    return found


def is_for(contender: Contender, shape: Shape) -> bool:
    return shape.case in contender.cases and (not contender.shapes or shape.name in contender.shapes)


def is_within_reach(measured: dict[str, list[Measurement]], shape: Shape) -> bool:
    """Arrivals at more than a server has ever answered would only fill its queue."""
    reached = max((found.per_s for found in measured.get("one, 32", ())), default=float("inf"))
    return shape.rate is None or shape.rate < 0.9 * reached


def try_one(
    each: Contender, its: Running, shape: Shape, running: dict[Contender, Running], found: Found, cannot: dict[str, str]
) -> None:
    try:
        with alone(its, running.values()):
            found[each.name][shape.name].append(measure(each, its, case_of(shape.case), shape))
    except (CannotRun, OSError) as error:
        cannot[each.name] = f"{shape.name}: {error}"
        print(f"{each.name}: {cannot[each.name]}", flush=True)


def summary(
    chosen: list[Contender], running: dict[Contender, Running], found: Found, memory: dict[str, float], cannot: dict[str, str]
) -> dict[str, Any]:  # fmt: skip
    return {
        each.name: {
            "title": each.title,
            "cannot": cannot.get(each.name),
            "cold_start_s": running[each].cold_start_s if each in running else None,
            "pss_mb": memory.get(each.name),
            "measured": {shape: median(measurements) for shape, measurements in found[each.name].items()},
        }
        for each in chosen
    }


if __name__ == "__main__":
    main()
