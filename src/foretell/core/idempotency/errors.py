from foretell.errors import ForetellError
from foretell.problems import Fault


class InvalidKey(ForetellError):
    code = "invalid_idempotency_key"
    kind = "invalid"

    def __init__(self, detail: str) -> None:
        super().__init__(f"Idempotency-Key: {detail}")
        self.faults = [Fault(attr="Idempotency-Key", code=self.code, detail=detail)]


class KeyReused(ForetellError):
    code = "idempotency_key_reused"
    kind = "unprocessable"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came with another body before. Use a new key for a new request; the same one only to send the same again."
        )


class KeyInUse(ForetellError):
    code = "idempotency_key_in_use"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is being answered. Ask again in a moment.")
