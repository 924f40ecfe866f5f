"""Count the values in a msgpack message without building them."""

# For each first byte: how many bytes follow it that are not values, and how many values follow.
_FIXED_SIZES = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIXED_SIZES |= {0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}  # extensions
_LENGTH_SIZES = {
    0xC4: 1,
    0xC5: 2,
    0xC6: 4,
    0xC7: 1,
    0xC8: 2,
    0xC9: 4,
    0xD9: 1,
    0xDA: 2,
    0xDB: 4,
}  # bytes, extensions, str
_CONTAINERS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}  # size of the count, values per entry


def holds_at_most(body: bytes | bytearray, limit: int) -> bool:
    """Whether the first value in `body`, with all that it contains, is at most `limit` values."""
    position, outstanding, counted = 0, 1, 0
    while outstanding:
        if position >= len(body):
            return True  # cut short: the decoder will say so
        skipped, inner = _measure(body, position)
        position += skipped
        counted += 1
        outstanding += inner - 1
        if counted + outstanding > limit:
            return False
    return True


def _measure(body: bytes | bytearray, position: int) -> tuple[int, int]:
    """Return the length in bytes of the value's own part, and the number of values inside it."""
    first = body[position]
    if first < 0x80 or first >= 0xE0 or 0xC0 <= first <= 0xC3:
        return 1, 0
    if first < 0xA0:
        return 1, (first & 0x0F) * (2 if first < 0x90 else 1)
    if first < 0xC0:
        return 1 + (first & 0x1F), 0
    if first in _FIXED_SIZES:
        return 1 + _FIXED_SIZES[first], 0
    if first in _LENGTH_SIZES:
        size = _LENGTH_SIZES[first]
        extension_type = 1 if 0xC7 <= first <= 0xC9 else 0
        return 1 + size + extension_type + int.from_bytes(body[position + 1 : position + 1 + size]), 0
    size, per_entry = _CONTAINERS[first]
    return 1 + size, per_entry * int.from_bytes(body[position + 1 : position + 1 + size])
