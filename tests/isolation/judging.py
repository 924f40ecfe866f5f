"""Whether two answers say the same, byte for byte, save for what is made anew each time."""

import re

from tests.isolation.asking import Answer
from tests.isolation.twins import Twin

Compared = tuple[int, bytes, bytes]  # status, headers, body
# What is new in each thing that is made: its id, its times, its secrets.
MADE = (
    re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(rb"20\d\d-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?"),
    re.compile(rb"ft_[a-z2-7]{10}_?[0-9A-Za-z]*|(?<=/keys/)[a-z2-7]{10}|(?<=\"id\":\")[a-z2-7]{10}(?=\")"),
    re.compile(rb"(?<=/invitation/)[^/\"]+"),
    re.compile(rb"(?<=\"etag\", \")[^)]+|ftr_[0-9A-Za-z_-]+|eyJ[0-9A-Za-z_.-]+"),
)


def compared(answer: Answer, other: Twin) -> Compared:
    """Return what has to be equal; where something was made, its ids, times and secrets are its own."""
    status, headers, body = answer.compared()
    if status < 400:
        headers = tuple(pair for pair in headers if pair[0] not in ("etag", "content-length"))
    head, body = other.masked(repr(headers).encode()), other.masked(body)
    if status < 400:
        for pattern in MADE:
            head, body = pattern.sub(b"*", head), pattern.sub(b"*", body)
    return status, head, body


def difference(theirs: Compared, nobodys: Compared) -> str:
    if theirs[0] != nobodys[0]:
        return f"status {theirs[0]} and not {nobodys[0]}: {theirs[2][:200]!r} and {nobodys[2][:200]!r}"
    name, one, another = (
        ("headers", theirs[1], nobodys[1]) if theirs[1] != nobodys[1] else ("body", theirs[2], nobodys[2])
    )
    pairs = enumerate(zip(one, another, strict=False))
    at = next((at for at, (left, right) in pairs if left != right), min(len(one), len(another)))
    part = slice(max(0, at - 80), at + 80)
    return f"another {name}, {theirs[0]}: {one[part]!r} and not {another[part]!r}"


def around(content: bytes, mark: bytes) -> str:
    at = content.index(mark)
    return repr(content[max(0, at - 60) : at + 60])
