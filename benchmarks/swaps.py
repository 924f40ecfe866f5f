"""Move the champion to and fro under full load: `python benchmarks/swaps.py [--times 200]`. No request may fail, none be mixed.

Every answer must be, but for its own id, byte for byte the answer of one of the two versions.
"""

import argparse
import statistics
import time
from typing import Any

from contenders.artifacts import iris
from goals import Verdict
from installation import Installation, installed
from measuring import Shape, finished, loading
from results import keep

import foretell

TIMES, LIMIT_S = 200, 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--quick", action="store_const", const=10, dest="times", help="10 swaps, shown only")
    options = parser.parse_args()
    with installed() as installation:
        answers = [installation.answer(), push_another(installation)]
        result, took = swap_under_load(installation, answers, options.times)
    keep("swaps", verdicts={"swaps": verdict(result, took, options.times)}, is_whole=options.times >= TIMES)


def verdict(result: dict[str, Any], took: list[float], times: int) -> Verdict:
    failed = {status: count for status, count in result["statuses"].items() if status != "200"}
    measured = (
        f"{len(took)} swaps: {sum(failed.values())} failed, {result['wrong']} mixed, of {result['answered']:,} answers; "
        f"{statistics.median(took) * 1e3:.0f} ms until the new one answers"
    )
    held = f"{len(took)} of {times} swaps in {LIMIT_S:.0f} s; answers that failed, by status: {failed or 'none'}"
    return Verdict(measured, not failed and not result["wrong"] and len(took) == times, held)


def push_another(installation: Installation) -> bytes:
    """Push a version that answers otherwise, and return its answer."""
    from sklearn.ensemble import RandomForestClassifier

    forest, sample = iris()
    other = RandomForestClassifier(n_estimators=7, max_depth=2, random_state=5).fit(sample, forest.predict(sample))
    version: Any = foretell.push(other, "iris", sample=sample, client=installation.client, progress=False)
    return move(installation, version.version)


def move(installation: Installation, number: int) -> bytes:
    """Make a version the champion; return its answer, as soon as it comes."""
    end = time.monotonic() + LIMIT_S
    installation.client.promote("iris", number, allow_signature_change=True)
    while b'"version":%d,' % number not in (answer := installation.answer()):
        assert time.monotonic() < end
        time.sleep(0.002)
    return answer


def swap_under_load(installation: Installation, answers: list[bytes], times: int) -> tuple[dict[str, Any], list[float]]:
    shape = Shape("one", 32, LIMIT_S)
    took: list[float] = []
    with loading(installation.port, [installation.message()], answers, shape) as load:
        time.sleep(0.5)
        end = time.monotonic() + LIMIT_S - 5
        while len(took) < times and time.monotonic() < end:
            began = time.monotonic()
            move(installation, 1 + len(took) % 2)
            took.append(time.monotonic() - began)
        return finished(load, within_s=30, at_once=True), took


if __name__ == "__main__":
    main()
