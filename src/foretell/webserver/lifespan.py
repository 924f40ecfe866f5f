"""What an application does before its first request and after its last one."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from foretell.asgi import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None]]


class Lifespan:
    """Run hooks at the start, in order, and at the end, in order; hand everything else on.

    A hook that fails at the start ends the process: it would serve without what it needs. One that fails at the end is logged, and
    the others still run.

    Parameters
    ----------
    is_eager
        Whether our server may begin the application's coroutines outside of a task (`eager`).
    """

    def __init__(
        self, app: ASGIApp, *, startup: Sequence[Hook] = (), shutdown: Sequence[Hook] = (), is_eager: bool = False
    ) -> None:
        self.app = app
        self.startup = startup
        self.shutdown = shutdown
        self.is_eager = is_eager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be a coroutine function, by which any server knows what an application of today is."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        try:
            for hook in self.startup:
                await hook()
        except Exception as err:
            log.exception("the start failed")
            await send({"type": "lifespan.startup.failed", "message": str(err)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _end(self) -> None:
        for hook in self.shutdown:
            try:
                await hook()
            except Exception:
                log.exception("part of the end failed")
