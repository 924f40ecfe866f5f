"""How long a version takes, by the size of what it is asked: learnt from each answer, asked before the next."""

UNKNOWN_S = float("inf")
_WEIGHT = 0.1  # of the newest
_SIZES = 65  # of bodies, each twice the one before


class Cost:
    """Seconds that reading, running and answering took, for bodies of about one size."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds = [UNKNOWN_S] * _SIZES

    def expected_s(self, n_bytes: int) -> float:
        """Return what a body of this size will probably take; infinity where none was seen."""
        return self._seconds[n_bytes.bit_length()]

    def learn(self, n_bytes: int, seconds: float) -> None:
        size = n_bytes.bit_length()
        known = self._seconds[size]
        self._seconds[size] = seconds if known == UNKNOWN_S else known + _WEIGHT * (seconds - known)
