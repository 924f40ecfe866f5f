"""How long an HTTP answer is, and what is in it."""

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
CHUNKED = b"transfer-encoding: chunked"
LAST_CHUNK = b"\r\n0\r\n\r\n"


def missing(answer: bytes) -> int | None:
    """Return how many bytes of an answer have not come yet; None where that cannot be told yet."""
    head_end = answer.find(HEAD_END)
    if head_end < 0:
        return None
    head = answer[:head_end].lower()
    at = head.find(LENGTH)
    if at >= 0:
        line_end = head.find(b"\r\n", at)
        length = int(head[at + len(LENGTH) : line_end if line_end > 0 else None])
        return length - (len(answer) - head_end - len(HEAD_END))
    if CHUNKED in head:
        return 0 if answer.endswith(LAST_CHUNK) else None
    raise ValueError(f"an answer without a length: {head!r}")


def status_and_content(answer: bytes) -> tuple[int, bytes]:
    """Return the status, and the body as its reader sees it."""
    head, _, body = answer.partition(HEAD_END)
    is_whole = CHUNKED not in head.lower()
    return int(head.split(b" ", 2)[1]), body if is_whole else b"".join(_chunks(body))


def _chunks(body: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end].split(b";")[0], 16)
        if not size:
            return found
        found.append(body[line_end + 2 : line_end + 2 + size])
        at = line_end + 2 + size + 2
