"""A file as an answer, piece by piece."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import BinaryIO

from foretell.registry.storage import CHUNK_BYTES


class FileChunks:
    """What `StreamingHttpResponse` sends; it also closes it, whether the client stayed to the end or not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await asyncio.to_thread(self._file.read, CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        self._file.close()
