"""Predictions over a WebSocket: `/ws/v1/models/{name}/predict/`, one message a request, answered in order.

Each message passes the same door as an HTTP request: a key that is revoked, or a limit that is reached, holds at the next message.
Back-pressure is in the order itself: a message is read when the one before it is answered.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from foretell.addresses import normalised_host, split_prefix
from foretell.asgi import Receive, Scope, Send
from foretell.credentials import NotAuthenticated
from foretell.errors import ForetellError
from foretell.inference.codec.json_rows import parse_json
from foretell.problems import retry_after_s, status_of
from foretell.serving.exchange import BodyTooLarge, Exchange, Head, Terms
from foretell.serving.responses import failure_headers, problem_body, problem_of
from foretell.serving.services import LaneServices

STREAM = re.compile(
    r"/ws/v1/models/(?P<name>[^/@\0]+)(?:@(?P<alias>[^/@\0]+)|/versions/(?P<number>[0-9]{1,18}))?/predict/?"
)
FIRST_MESSAGE_WITHIN_S = 10.0
CLOSE_TOO_LARGE = 1009
ENDS_THE_STREAM = (401, 403, 404)  # closed with 4401, 4403, 4404: the next message would fare no better
CREDENTIALS = (b"authorization", b"x-api-key")


class WrongOrigin(ForetellError):
    """A page of another site opened the connection."""

    code = "permission_denied"

    def __init__(self) -> None:
        super().__init__("The Origin of this page is not this tenant's address.")


class WebSockets:
    """Answers the streams of the lane; other WebSockets are not its business."""

    name = "websocket"

    def __init__(self, services: LaneServices, *, terms: Terms) -> None:
        self._services, self._terms = services, terms

    def handler(self, path: str) -> Callable[[Scope, Receive, Send], Awaitable[None]] | None:
        """Return what answers this address, with or without the tenant's prefix."""
        prefixed = split_prefix(path)
        prefix, within = prefixed or (None, path)
        match = STREAM.fullmatch(within)
        if match is None:
            return None
        number = None if match["number"] is None else int(match["number"])

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            target = Target(match["name"], match["alias"], number, within, prefix)
            await Stream(self._services, scope, receive, send, target, self._terms).run()

        return stream


class Target(msgspec.Struct, frozen=True):
    """What a stream asks, and at which address."""

    model: str
    alias: str | None
    number: int | None
    path: str
    prefix: str | None


class Stream:
    """One connection, from its handshake to its close."""

    def __init__(
        self, services: LaneServices, scope: Scope, receive: Receive, send: Send, target: Target, terms: Terms
    ) -> None:
        self._services, self._target = services, target
        self._scope, self._receive, self._send = scope, receive, send
        self._head, self._terms = self._read_head(), terms

    async def run(self) -> None:
        with contextlib.suppress(
            OSError
        ):  # what the server raises where the client went away in the middle of an answer
            await self._run()

    async def _run(self) -> None:
        await self._receive()  # websocket.connect
        handshake = self._exchange(b"")
        try:
            self._check_origin(handshake)
            self._services.door.tenant(handshake)
            if is_shown := self._is_shown(handshake):
                await self._services.enter(handshake)
                self._services.door.expect(handshake, self._target.model)
        except ForetellError as err:
            await self._refuse(err, handshake)
            return
        await self._send({"type": "websocket.accept"})
        if is_shown or await self._introduced():
            await self._serve()

    async def _serve(self) -> None:
        while (body := await self._next()) is not None:
            if not await self._answered(self._exchange(body)):
                return

    async def _answered(self, exchange: Exchange) -> bool:
        """Answer one message; return whether the stream goes on."""
        try:
            answer = await self._predicted(exchange)
            self._services.measures.prediction(exchange, 200)
            await self._say(answer)
        except ForetellError as err:
            return await self._failed(err, exchange)
        return True

    async def _predicted(self, exchange: Exchange) -> bytes:
        target = self._target
        body = await exchange.body()
        admission = await self._services.admit(exchange, target.model)
        prediction = await self._services.predict(
            exchange, admission, alias=target.alias, number=target.number, media_type="application/json",
            parse=lambda signature: parse_json(signature, body),
        )  # fmt: skip
        return prediction.body

    async def _failed(self, error: ForetellError, exchange: Exchange) -> bool:
        status = status_of(error)
        self._services.measures.prediction(exchange, status)
        body = problem_body(error, status, request_id=exchange.request_id)
        if status in (429, 503):
            body["retry_after"] = retry_after_s(error)  # a message has no headers
        await self._say(msgspec.json.encode(body))
        if status in ENDS_THE_STREAM:
            await self._close(4_000 + status)
        elif isinstance(error, BodyTooLarge):
            await self._close(CLOSE_TOO_LARGE)
        else:
            return True
        return False

    async def _introduced(self) -> bool:
        """Take the first message for the credential: a browser's page cannot set headers.

        Security: never in the address, which ends up in logs.
        """
        try:
            async with asyncio.timeout(FIRST_MESSAGE_WITHIN_S):
                first = await self._next()
            shown = msgspec.json.decode(first or b"", type=Introduction)
            header = (b"authorization", shown.authorization.encode("latin-1"))
        except (TimeoutError, msgspec.MsgspecError, UnicodeError):
            await self._failed(NotAuthenticated(), self._exchange(b""))
            return False
        self._scope = {**self._scope, "headers": [*self._scope["headers"], header]}
        self._head = self._read_head()
        exchange = self._exchange(b"")
        try:
            await self._services.enter(exchange)
            self._services.door.expect(exchange, self._target.model)
        except ForetellError as err:
            return await self._failed(err, exchange)
        return True

    def _is_shown(self, handshake: Exchange) -> bool:
        """Whether the handshake has a credential; a session is one where the page's origin is known to be ours."""
        return any(name in handshake.headers for name in CREDENTIALS) or (
            handshake.head.takes_session and b"cookie" in handshake.headers
        )

    def _read_head(self) -> Head:
        """Read what holds for every message. Where a page's origin is shown, it is looked at before anything else."""
        has_origin = any(name == b"origin" for name, _ in self._scope["headers"])
        return Head(self._scope, path=self._target.path, prefix=self._target.prefix, takes_session=has_origin)

    def _exchange(self, body: bytes) -> Exchange:
        exchange = Exchange(self._head, self._scope, self._receive, terms=self._terms, body=body)
        exchange.face = WebSockets.name
        return exchange

    def _check_origin(self, handshake: Exchange) -> None:
        """Security: a page of another site must not speak with its visitor's credentials."""
        origin = handshake.header(b"origin")
        if origin is None:
            return
        host = origin.partition("://")[2]
        if not host or normalised_host(host) != normalised_host(handshake.header(b"host") or ""):
            raise WrongOrigin

    async def _next(self) -> bytes | None:
        """Return the next message, or None where the client has gone."""
        message: Any = await self._receive()
        if message["type"] != "websocket.receive":
            return None
        text = message.get("text")
        return text.encode() if text is not None else message.get("bytes") or b""

    async def _say(self, body: bytes) -> None:
        await self._send({"type": "websocket.send", "text": body.decode()})

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})

    async def _refuse(self, error: ForetellError, handshake: Exchange) -> None:
        """Refuse the handshake: with the whole problem where the server can, else with its bare 403."""
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._close(4_000 + status_of(error))
            return
        response = problem_of(error, handshake)
        self._services.measures.prediction(handshake, response.status)
        headers = [(b"content-type", response.content_type), *failure_headers(error, response.status)]
        await self._send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": response.body})


class Introduction(msgspec.Struct, forbid_unknown_fields=True):
    """The first message of a stream without credentials in its handshake: ``{"authorization": "Bearer ft_…"}``."""

    authorization: str
