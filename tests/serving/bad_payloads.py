"""Bodies that no honest client sends, and some that careless ones do: for every prediction route alike."""

import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Payload:
    name: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))


LITERALS = {
    "nothing": b"", "a space": b" ", "null": b"null", "true": b"true", "a number": b"1", "a text": b'"x"', "a list": b"[]", "an object": b"{}",
    "nan": b"NaN", "infinity": b"-Infinity", "overflow": b"1e999", "half an object": b'{"a": 1', "half a key": b'{"a', "two objects": b"{} {}",
    "a trailing comma": b'{"a": 1,}', "single quotes": b"{'a': 1}", "a comment": b'{"a": 1 /* */}', "a byte order mark": b'\xef\xbb\xbf{"a": 1, "b": 2}',
    "utf-16": '{"a": 1}'.encode("utf-16"), "latin-1": b'{"a": "\xe9"}', "overlong utf-8": b'{"a": "\xc0\xaf"}', "random bytes": bytes(range(256)),
    "zeros": b"\0" * 64, "deep lists": b"[" * 100_000, "deep objects": b'{"a":' * 50_000, "closed deep lists": b"[" * 5_000 + b"]" * 5_000,
    "a long number": b'{"a": ' + b"9" * 5_000 + b', "b": 1}', "a long exponent": b'{"a": 1e' + b"9" * 400 + b', "b": 1}',
    "a long text": b'{"a": "' + b"x" * 200_000 + b'"}', "many keys": json.dumps({f"k{n}": n for n in range(20_000)}).encode(),
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00", "html": b"<html></html>", "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "yaml": b"a: 1\nb: 2\n", "a form": b"a=1&b=2", "multipart": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
}  # fmt: skip

VALUES: dict[str, bytes] = {
    "null": b"null", "a text": b'"1"', "true": b"true", "a list": b"[1]", "an object": b"{}", "nan": b"NaN", "infinity": b"Infinity",
    "overflow": b"1e999", "2^53+1": b"9007199254740993", "2^63": b"9223372036854775808", "2^64": b"18446744073709551616", "-2^63-1": b"-9223372036854775809",
    "a lone surrogate": b'"\\ud800"', "a nul": b'"\\u0000"', "a raw nul": b'"\0"', "hexadecimal": b"0x10", "a leading zero": b"01", "a plus": b"+1",
    "a bare point": b".5", "an underscore": b"1_000", "a thousand digits": b"1" * 1_000, "deep": b"[" * 200 + b"]" * 200, "a date": b'"2020-01-01"',
    "an empty text": b'""', "a zero-width space": '"\u200b"'.encode(), "right to left": '"\u202e1"'.encode(), "an emoji": '"🜚"'.encode(),
}  # fmt: skip

# Where a value stands, in each protocol's own shape; %s is the value.
PLACES: dict[str, bytes] = {
    "row": b'{"a": %s, "b": 2}', "instances of objects": b'{"instances": [{"a": %s, "b": 2}]}', "instances of lists": b'{"instances": [[%s, 2]]}',
    "instances": b'{"instances": %s}', "a tensor's data": b'{"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": [%s]}, {"name": "b", "shape": [1], "datatype": "FP64", "data": [2]}]}',
    "a tensor's shape": b'{"inputs": [{"name": "a", "shape": [%s], "datatype": "FP64", "data": [1]}]}', "a tensor's name": b'{"inputs": [{"name": %s, "shape": [1], "datatype": "FP64", "data": [1]}]}',
    "a tensor's type": b'{"inputs": [{"name": "a", "shape": [1], "datatype": %s, "data": [1]}]}', "inputs": b'{"inputs": %s}', "dataframe_split": b'{"dataframe_split": {"columns": ["a", "b"], "data": [[%s, 2]]}}',
    "columns": b'{"dataframe_split": {"columns": %s, "data": [[1, 2]]}}', "dataframe_records": b'{"dataframe_records": [{"a": %s, "b": 2}]}',
}  # fmt: skip


def payloads() -> list[Payload]:
    """Return all of them, each with a name of its own."""
    return [*_literals(), *_values(), *_keys(), *_tensors(), *_frames(), *_tables(), *_encodings()]


def _literals() -> Iterator[Payload]:
    for name, body in LITERALS.items():
        yield Payload(name, body)
        yield Payload(f"{name}, instead of rows", b'{"instances": ' + body + b"}")


def _values() -> Iterator[Payload]:
    for place, shape in PLACES.items():
        for name, value in VALUES.items():
            yield Payload(f"{name} in {place}", shape.replace(b"%s", value))


def _keys() -> Iterator[Payload]:
    yield Payload("a key twice", b'{"a": 1, "a": 2, "b": 3}')
    yield Payload("a key twice, once escaped", b'{"a": 1, "\\u0061": 2, "b": 3}')
    yield Payload("an unknown key", b'{"a": 1, "b": 2, "c": 3}')
    yield Payload("__proto__", b'{"a": 1, "b": 2, "__proto__": {}}')
    yield Payload("__class__", b'{"a": 1, "__class__": "b"}')
    yield Payload("an empty key", b'{"": 1, "a": 1, "b": 2}')
    yield Payload("rows beside a row", b'{"instances": [[1, 2]], "a": 1}')
    yield Payload("rows of different lengths", b'{"instances": [[1, 2], [1], [1, 2, 3]]}')
    yield Payload("rows of different kinds", b'{"instances": [[1, 2], {"a": 1, "b": 2}, 3]}')
    yield Payload("very many rows", b'{"instances": [' + b"[],".join([b""] * 110_000) + b"[]]}")


def _tensors() -> Iterator[Payload]:
    tensor = {"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    changes: dict[str, dict[str, Any]] = {
        "a shape too large for its data": {"shape": [10**12, 4]}, "a shape that overflows": {"shape": [2**62, 2**62]}, "a negative shape": {"shape": [-1, 2]},
        "no dimensions": {"shape": []}, "a hundred dimensions": {"shape": [1] * 100}, "too little data": {"data": [1]}, "too much data": {"data": list(range(9))},
        "ragged data": {"data": [[1], [2, 3]]}, "data too deep": {"data": [[[[1, 2]]]]}, "texts in numbers": {"data": ["1", "2"]}, "an unknown datatype": {"datatype": "FP128"},
        "half floats in json": {"datatype": "FP16"}, "a datatype that does not fit": {"datatype": "BYTES", "data": ["x", "y"]}, "integers that overflow": {"datatype": "INT8", "data": [300, 2]},
        "negative unsigned": {"datatype": "UINT8", "data": [-1, 2]}, "no data": {"data": None}, "binary without a header": {"parameters": {"binary_data_size": 16}},
        "binary and data": {"parameters": {"binary_data_size": 16}, "data": [1, 2]}, "a negative size": {"parameters": {"binary_data_size": -1}}, "no name": {"name": ""},
        "a content type of nothing": {"parameters": {"content_type": "nope"}}, "base64 that is none": {"datatype": "BYTES", "data": ["!!", "??"], "parameters": {"content_type": "base64"}},
    }  # fmt: skip
    for name, change in changes.items():
        yield Payload(name, json.dumps({"inputs": [{**tensor, **change}]}).encode())
    yield Payload("the same tensor twice", json.dumps({"inputs": [tensor, tensor]}).encode())
    yield Payload("an unknown output", json.dumps({"inputs": [tensor], "outputs": [{"name": "nope"}]}).encode())
    yield Payload("an id that is no text", json.dumps({"id": {"a": 1}, "inputs": [tensor]}).encode())
    yield from _binary_tensors()


def _binary_tensors() -> Iterator[Payload]:
    head = json.dumps(
        {"inputs": [{"name": "a", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}]}
    ).encode()
    bytes_head = head.replace(b"FP64", b"BYTES")
    tails = {
        "too short": b"\0" * 8, "too long": b"\0" * 32, "nan": struct.pack("<dd", float("nan"), 1), "infinity": struct.pack("<dd", float("inf"), 1), "none": b"",
        "a length beyond the end": struct.pack("<I", 2**31) + b"\0" * 12,
    }  # fmt: skip
    for name, tail in tails.items():
        for kind, part in (("numbers", head), ("texts", bytes_head)):
            headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(part))}
            yield Payload(f"binary {kind}, {name}", part + tail, headers)
    for length in ("-1", "abc", "999999999", "1e3", "", "18446744073709551616", "5"):
        headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": length}
        yield Payload(f"a header's length of {length!r}", head + b"\0" * 16, headers)
    yield Payload("raw bytes for two inputs", b"\0" * 12, {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "0"})  # fmt: skip


def _frames() -> Iterator[Payload]:
    frames: dict[str, Any] = {
        "columns and data of different widths": {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "a column twice": {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        "an unknown part": {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "x": 1}}, "no data": {"dataframe_split": {"columns": ["a", "b"]}},
        "a missing column": {"dataframe_split": {"columns": ["a"], "data": [[1]]}}, "records that are no list": {"dataframe_records": {"a": 1}}, "two kinds at once": {"instances": [[1, 2]], "inputs": [[1, 2]]},
        "columns of different lengths": {"inputs": {"a": [1, 2], "b": [1]}}, "params that are no object": {"instances": [[1, 2]], "params": 3}, "an empty frame": {"dataframe_split": {"columns": [], "data": []}},
        "a scalar": {"inputs": 1}, "a chat": {"messages": [{"role": "user", "content": "hello"}]},
    }  # fmt: skip
    for name, frame in frames.items():
        yield Payload(f"a frame: {name}", json.dumps(frame).encode())


def _tables() -> Iterator[Payload]:
    tables = {
        "nothing": b"", "a header only": b"a,b\n", "a column twice": b"a,a\n1,2\n", "an unknown column": b"a,c\n1,2\n", "a short row": b"a,b\n1\n", "a long row": b"a,b\n1,2,3\n",
        "texts": b"a,b\nx,y\n", "an open quote": b'a,b\n"1,2\n', "nul": b"a,b\n1,\0\n", "not utf-8": b"a,b\n1,\xff\n", "a formula": b"a,b\n=1+1,2\n", "infinity": b"a,b\ninf,2\n", "a wide row": b"," * 200_000,
        "semicolons": b"a;b\n1;2\n", "carriage returns": b"a,b\r1,2\r", "a number too large": b"a,b\n1e999,2\n",
    }  # fmt: skip
    for name, table in tables.items():
        yield Payload(f"csv: {name}", table, {"Content-Type": "text/csv"})
    for name, body in {"nothing": b"", "magic only": b"PAR1", "rubbish": b"PAR1" + b"\xff" * 64 + b"PAR1"}.items():
        yield Payload(f"parquet: {name}", body, {"Content-Type": "application/vnd.apache.parquet"})


def _encodings() -> Iterator[Payload]:
    row = b'{"a": 1, "b": 2}'
    bomb = gzip.compress(b"0" * 30_000_000)
    packed = gzip.compress(row)
    encoded = {
        "a bomb": (bomb, "gzip"), "a deflated bomb": (zlib.compress(b"[" * 30_000_000), "deflate"), "not gzip": (row, "gzip"), "half of it": (packed[: len(packed) // 2], "gzip"),
        "a wrong checksum": (packed[:-8] + b"\0" * 8, "gzip"), "an unknown encoding": (row, "br"), "two encodings": (packed, "gzip, gzip"), "raw deflate": (zlib.compress(row)[2:-4], "deflate"), "nothing": (b"", "gzip"),
    }  # fmt: skip
    for name, (body, encoding) in encoded.items():
        yield Payload(f"encoded: {name}", body, {**JSON, "Content-Encoding": encoding})
    for content_type in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16", "text/csv; charset=latin-1", "application/xml", "image/png", "x" * 500, "application/json; boundary"):  # fmt: skip
        yield Payload(
            f"content type {content_type[:40]!r}", row, {"Content-Type": content_type} if content_type else {}
        )
