"""What a Parquet file says of its own sizes, read before anything is unpacked.

Security: a page of a few bytes may unpack to gigabytes, or stand for billions of rows. Footer and page headers are walked here, by
a reader that allocates nothing they ask for; only files that stay within bounds reach the real reader.
"""

from typing import Any

from foretell.inference.json_tables import malformed

MAX_FOOTER_BYTES = 4 << 20
MAX_DEPTH = 16
MAX_PAGES = 100_000

# Types of Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
# Fields of parquet.thrift.
_NUM_ROWS, _ROW_GROUPS, _COLUMNS, _META_DATA = 3, 4, 1, 3
_COMPRESSED, _DATA_OFFSET, _DICTIONARY_OFFSET = 7, 9, 11
_PAGE_UNCOMPRESSED, _PAGE_COMPRESSED, _PAGE_HEADERS, _PAGE_VALUES = 2, 3, (5, 7, 8), 1


def require_bounded(body: bytes, *, max_rows: int, max_unpacked_bytes: int, path: str) -> None:
    """Raise MalformedTable where a file is no Parquet, or would unpack to more than it may."""
    try:
        footer = _footer(body)
        if footer.get(_NUM_ROWS, 0) > max_rows:
            raise malformed(
                path, "too_many_rows", f"Found {footer[_NUM_ROWS]:,} rows; at most {max_rows:,} are taken at once."
            )
        unpacked = pages = 0
        for group in footer.get(_ROW_GROUPS, []):
            for chunk in group.get(_COLUMNS, []):
                for uncompressed, values in _pages(body, chunk[_META_DATA]):
                    unpacked, pages = unpacked + uncompressed, pages + 1
                    if unpacked > max_unpacked_bytes or values > max_rows or pages > MAX_PAGES:
                        raise malformed(
                            path, "too_large", f"The table is larger than {max_unpacked_bytes:,} bytes unpacked."
                        )
    except (IndexError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise malformed(path, "invalid_parquet", "The body is not a Parquet file, or a damaged one.") from error


def _footer(body: bytes) -> dict[int, Any]:
    if len(body) < 12 or body[:4] != b"PAR1" or body[-4:] != b"PAR1":
        raise ValueError("no magic number")
    size = int.from_bytes(body[-8:-4], "little")
    if not 0 < size <= min(len(body) - 12, MAX_FOOTER_BYTES):
        raise ValueError("no footer")
    return _Compact(body, len(body) - 8 - size, len(body) - 8).struct()


def _pages(body: bytes, column: dict[int, Any]) -> Any:
    """Yield the unpacked size and the number of values of each page of a column's chunk."""
    start, size = column[_DATA_OFFSET], column[_COMPRESSED]
    if _DICTIONARY_OFFSET in column:
        if not 0 < column[_DICTIONARY_OFFSET] < start:
            raise ValueError("a dictionary behind its data")
        start = column[_DICTIONARY_OFFSET]
    end = start + size
    if not 4 <= start <= end <= len(body) - 8:
        raise ValueError("a chunk outside of the file")
    while start < end:
        reader = _Compact(body, start, end)
        header = reader.struct()
        uncompressed, compressed = header[_PAGE_UNCOMPRESSED], header[_PAGE_COMPRESSED]
        if uncompressed < 0 or compressed < 0:
            raise ValueError("a page of negative size")
        inner: dict[int, Any] = next((header[field] for field in _PAGE_HEADERS if field in header), {})
        yield uncompressed, inner.get(_PAGE_VALUES, 0)
        start = reader.position + compressed


class _Compact:
    """Reads Thrift's compact protocol between two positions, into dictionaries by field number."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self.position, self._end = data, start, end

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields[number] = self._value(head & 15, depth, is_field=True)
        return fields

    def _value(self, kind: int, depth: int, *, is_field: bool = False) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE if is_field else self._byte() == _TRUE  # a field's truth is in its head
        if kind == _BYTE:
            return self._byte()
        if kind < _DOUBLE:
            return self._zigzag()
        if kind in (_DOUBLE, _BINARY):
            return self._skip(8 if kind == _DOUBLE else self._varint())
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _MAP:
            return self._map(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError("an unknown type")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        if size > self._end - self.position:  # each element has at least a byte
            raise ValueError("a list longer than its file")
        return [self._value(head & 15, depth + 1) for _ in range(size)]

    def _map(self, depth: int) -> None:
        size = self._varint()
        if size > self._end - self.position:
            raise ValueError("a map longer than its file")
        kinds = self._byte() if size else 0
        for _ in range(size):
            self._value(kinds >> 4, depth + 1)
            self._value(kinds & 15, depth + 1)

    def _skip(self, size: int) -> None:
        if size > self._end - self.position:
            raise ValueError("a text longer than its file")
        self.position += size

    def _byte(self) -> int:
        if self.position >= self._end:
            raise IndexError("the end")
        self.position += 1
        return self._data[self.position - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
