"""What was measured, in results.json, each script under its own name; results.md and results.svg are drawn from it."""

import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE / "results.json"


def keep(name: str, what: Any, *, is_whole: bool = True) -> None:
    """Put a script's results beside those of the others; a partial run is only shown."""
    from plot import plot
    from table import document, partial_document

    kept = load() | {name: what, "cores": os.cpu_count()}
    if is_whole:
        DATA.write_text(json.dumps(kept, indent=1, default=float) + "\n")
        (HERE / "results.md").write_text(document(kept))
        (HERE / "results.svg").write_text(plot(kept.get("compare", {})))
    else:
        print(partial_document({name: what}))


def load() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text()) if DATA.exists() else {}
    return found
