"""The words between a client and the parent, one datagram each. The child has a channel of its own (`frames`)."""

from typing import Literal

import msgspec

from foretell.inference.sandbox.limits import Limits

MAX_DATAGRAM_BYTES = 4096


class Request(msgspec.Struct, frozen=True):
    """What a client asks of the parent, once per connection; closing the connection kills the child."""

    job: str
    kind: Literal["run", "open"]
    limits: Limits


class Reply(msgspec.Struct, frozen=True):
    """``started`` carries the client's end of the channel; ``refused`` has the reason; ``ended`` says how."""

    kind: Literal["started", "refused", "ended"]
    reason: str = ""
    exit: int = 0
    signal: int = 0
    cpu_s: float = 0.0
    killed: Literal["", "wall"] = ""


def encode(message: Request | Reply) -> bytes:
    return msgspec.msgpack.encode(message)


decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode
