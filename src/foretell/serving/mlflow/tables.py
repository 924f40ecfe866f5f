"""Parquet bodies, which a locked child unpacks: a few at once, and few that wait."""

import asyncio

from foretell.inference.parquet_rows import UnpackedTable, unpack_table
from foretell.inference.signature import Signature
from foretell.serving.scheduling import Overloaded

AT_ONCE = 2
MAX_WAITING = 16


class Tables:
    """Unpacks tables, whatever is in them."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._n_waiting = 0

    async def unpack(self, body: bytes, signature: Signature) -> UnpackedTable:
        """Return the columns that the signature wants; raises what `unpack_table` raises, and Overloaded."""
        if self._n_waiting >= MAX_WAITING:
            raise Overloaded
        self._n_waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(unpack_table, body, signature)
        finally:
            self._n_waiting -= 1
