"""The body of a push: multipart/form-data of a known size, in pieces, so that progress can be told."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from foretell.client._rows import as_json

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Multipart:
    """A finished body. It can be sent any number of times."""

    boundary: str
    parts: tuple[bytes, ...]

    @classmethod
    def of(cls, *, metadata: Mapping[str, Any], artifacts: Sequence[tuple[str, bytes]], sample: bytes | None) -> Self:
        boundary = secrets.token_hex(16)
        parts = [*_part(boundary, "metadata", as_json(metadata))]
        for name, data in artifacts:
            parts += _part(boundary, "artifact", data, file_name=name)
        if sample is not None:
            parts += _part(boundary, "sample", sample, file_name="sample.csv")
        return cls(boundary, (*parts, f"--{boundary}--\r\n".encode()))

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def size(self) -> int:
        return sum(len(part) for part in self.parts)

    def chunks(self) -> Iterator[bytes]:
        for part in self.parts:
            view = memoryview(part)
            for start in range(0, len(view), CHUNK_BYTES):
                yield bytes(view[start : start + CHUNK_BYTES])


def _part(boundary: str, name: str, data: bytes, *, file_name: str | None = None) -> list[bytes]:
    disposition = f'form-data; name="{name}"'
    content_type = ""
    if file_name is not None:
        disposition += f'; filename="{_quoted(file_name)}"'
        content_type = "Content-Type: application/octet-stream\r\n"
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{content_type}\r\n"
    return [head.encode(), data, b"\r\n"]


def _quoted(file_name: str) -> str:
    """Escape as browsers do (HTML's multipart/form-data encoding)."""
    escapes = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A", ord("\\"): "/"}
    return file_name.translate(escapes).encode("utf-8", "replace").decode()
