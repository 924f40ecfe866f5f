"""A process of its own for one Parquet file: ``python -m foretell.inference.parquet_child``, a request on stdin, an answer on stdout.

Security: it is locked before it looks at the file: little memory and time, no files, nobody's user. The sandbox's children are locked
more tightly, too tightly for this reader, which wants an event loop of its own; but what it reads is data, and no code.
"""

import os
import sys
from typing import Any

import msgspec

from foretell.inference.parquet_tables import unpack_parquet
from foretell.inference.sandbox import Limits
from foretell.inference.sandbox.failures import describe
from foretell.inference.sandbox.lockdown import LayerMissing, apply_layers
from foretell.inference.sandbox.privileges import throwaway_uids

LAYERS = ("rlimits", "privileges", "no_new_privs", "landlock")
LIMITS = Limits(cpu_s=10, wall_s=15.0, memory_bytes=1 << 30, result_bytes=256 << 20)


def main() -> None:
    import polars  # noqa: F401  what is not imported by now is out of reach

    uids = throwaway_uids()
    try:
        apply_layers(LAYERS, LIMITS, uid=uids[0] if uids else None, parent=os.getppid())
    except LayerMissing as missing:
        _answer({"missing": str(missing)})
        return
    _answer(_result(msgspec.msgpack.decode(sys.stdin.buffer.read())))


def _result(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"ok": unpack_parquet(request)}
    except BaseException as error:  # noqa: BLE001  the reader may panic, which is no Exception
        return {"error": describe(error)}


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
