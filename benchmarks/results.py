"""What was measured, in results.json, each program under its own name; results.md and results.svg are drawn from it."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from goals import Verdict

HERE = Path(__file__).resolve().parent
DATA = HERE / "results.json"
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]  # title, header, rows


def keep(
    program: str,
    verdicts: Mapping[str, Verdict],
    *,
    tables: Sequence[Table] = (),
    compared: Mapping[str, Any] | None = None,
    is_whole: bool = True,
) -> None:
    """Put a program's results beside those of the others; those of a smaller run are only shown.

    verdicts : by the goal's name.
    compared : what `compare.py` has of each server.
    """
    from plot import plot
    from table import document, one_program

    found = {
        "on": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "took_s": datetime.now(UTC).timestamp() - psutil.Process().create_time(),
        "verdicts": verdicts,
        "tables": tables,
    } | ({"compared": compared} if compared is not None else {})
    print(one_program(program, json.loads(json.dumps(found, default=float))))
    if not is_whole:
        print("(a smaller run than the goals ask for: shown, not kept)")
        return
    kept = load()
    kept = {"cores": os.cpu_count(), "programs": kept["programs"] | {program: found}}
    DATA.write_text(json.dumps(kept, indent=1, default=float) + "\n")
    kept = load()
    (HERE / "results.md").write_text(document(kept))
    (HERE / "results.svg").write_text(plot(kept["programs"].get("compare", {}).get("compared", {})))


def load() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text()) if DATA.exists() else {}
    return found if "programs" in found else {"programs": {}}
