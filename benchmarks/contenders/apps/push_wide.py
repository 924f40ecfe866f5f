"""Push the wide forest through the public client."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from contenders.artifacts import wide

import foretell

model, rows = wide()
foretell.push(model, "wide", sample=rows, progress=False)
