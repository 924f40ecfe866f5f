"""Compressed files and archives, unpacked only as far as a model may be large."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from foretell.errors import shortened
from foretell.inference.errors import UnreadableArtifact

MAX_UNPACKED_BYTES = 1 << 30  # a forest of 1 GiB would not be served from memory either
MAX_ZIP_MEMBERS = 20_000  # skops stores each array as a member of its own
MAX_RATIO = 200  # compressed arrays of a model stay far below; a bomb is in the thousands
_CHUNK = 1 << 20


def zip_members(name: str, data: bytes) -> set[str]:
    """Return the names in an archive that unpacks to a sane size, without unpacking it."""
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableArtifact(f"{name} is damaged: {shortened(str(error), 200)}") from None
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_ZIP_MEMBERS or unpacked > min(MAX_UNPACKED_BYTES, max(len(data) * MAX_RATIO, _CHUNK)):
        raise UnreadableArtifact(
            f"{name} would unpack to {unpacked:,} bytes in {len(members):,} members, from {len(data):,} bytes: that is no model."
        )
    return {member.filename for member in members}


def decompressed(name: str, data: bytes) -> bytes:
    if data.startswith(b"\x04\x22\x4d\x18"):
        raise UnreadableArtifact(
            f"{name} is compressed by LZ4. Save it again with joblib.dump(estimator, path, compress=3)."
        )
    pieces, total = [], 0
    try:
        for piece in _pieces(data):
            total += len(piece)
            if total > min(MAX_UNPACKED_BYTES, max(len(data) * MAX_RATIO, 16 * _CHUNK)):
                raise UnreadableArtifact(
                    f"{name} unpacks to more than {total:,} bytes, from {len(data):,}: that is no model."
                )
            pieces.append(piece)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise UnreadableArtifact(f"{name} is damaged: {shortened(str(error), 200)}") from None
    return b"".join(pieces)


def _pieces(data: bytes) -> Iterator[bytes]:
    """Decompress a piece at a time, so that a bomb is seen before it is in memory."""
    if data.startswith(b"\x78"):
        yield from _zlib_pieces(data)
        return
    open_stream: Any = gzip.open if data.startswith(b"\x1f\x8b") else bz2.open if data.startswith(b"BZh") else lzma.open
    with open_stream(io.BytesIO(data)) as stream:
        while piece := stream.read(_CHUNK):
            yield piece


def _zlib_pieces(data: bytes) -> Iterator[bytes]:
    machine = zlib.decompressobj()
    while data and not machine.eof:
        yield machine.decompress(data, _CHUNK)
        data = machine.unconsumed_tail
    if not machine.eof:
        raise EOFError("the compressed data ends too early")
