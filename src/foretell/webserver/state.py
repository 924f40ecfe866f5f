"""What the connections of one server share."""

import logging
from typing import Protocol as Interface
from typing import cast

from uvicorn.server import ServerState

from foretell.webserver.bounds import Bounds
from foretell.webserver.clients import Clients
from foretell.webserver.known_heads import KnownHeads
from foretell.webserver.overload import Load
from foretell.webserver.refusals import Refusal, too_many_connections
from foretell.webserver.whole_answers import header_lines

log = logging.getLogger(__name__)

STANDSTILL_S = 0.25  # from here on, an event loop that was late has kept its clients waiting
ROOM_TO_REFUSE = 50  # connections beyond the cap that are told why; what comes on top is dropped


class Governed(Interface):
    """A connection, over HTTP or a WebSocket."""

    def sweep(self, now: float, elapsed: float) -> None:
        """Look at its deadlines."""
        ...

    def forgive(self, seconds: float) -> None:
        """Move its deadlines: nobody could be quick while this process stood still."""
        ...

    def shutdown(self) -> None:
        """Let it end in order."""
        ...

    def cut_off(self) -> None: ...
    def abort(self) -> None: ...


class State(ServerState):
    """uvicorn's shared state, with what is granted and what is used of it."""

    def __init__(self, bounds: Bounds, load: Load) -> None:
        super().__init__()
        self.bounds, self.load = bounds, load
        self.clients = Clients(at_most=bounds.max_connections_per_client, unlimited=bounds.unlimited)
        self.known_heads = KnownHeads()
        self.leaving_since: float | None = None  # from here on each answer is the last one of its connection …
        self.farewell_by = float("inf")  # … and from here on an idle connection is closed
        self._swept_at = load.now
        load.tasks, load.open_connections = self.tasks, self.connections
        self._default_head, self._rendered = b"", self.default_headers

    @property
    def default_head(self) -> bytes:
        """The headers of every answer, as lines; uvicorn makes them anew each second, for the date."""
        if self._rendered is not self.default_headers:
            self._default_head, self._rendered = header_lines(self.default_headers), self.default_headers
        return self._default_head

    @property
    def is_flooded(self) -> bool:
        return len(self.connections) > self.bounds.max_connections + ROOM_TO_REFUSE

    def leave(self, now: float) -> None:
        """Let all connections end in order. A stop that nobody announced is a handover to another process."""
        bounds = self.bounds
        self.leaving_since = now
        self.farewell_by = now + (bounds.farewell_s if self.load.is_leaving else bounds.handover_s)
        for connection in self.governed():
            connection.shutdown()

    def admit(self, host: str) -> str:
        """Count a new connection; return its client, for `Clients.leave`.

        Raises
        ------
        Refusal
            where the process or the client has as many as it may.
        """
        if len(self.connections) > self.bounds.max_connections:
            raise too_many_connections("This server has", self.bounds.max_connections)
        client = self.clients.enter(host)
        if client is None:
            raise too_many_connections("You have", self.bounds.max_connections_per_client)
        return client

    def note(self, refusal: Refusal) -> None:
        self.load.refused[refusal.code] += 1

    def sweep(self, now: float) -> None:
        """Look at the deadlines of all connections, once per period. Optimization: no request has a timer of its own."""
        if self.load.lag_s > STANDSTILL_S:
            for connection in self.governed():
                connection.forgive(self.load.lag_s)
        elapsed = now - self._swept_at
        if elapsed < self.bounds.sweep_s:
            return
        self._swept_at = now
        for connection in self.governed():
            self._sweep_one(connection, now, elapsed)

    def _sweep_one(self, connection: Governed, now: float, elapsed: float) -> None:
        """Drop a connection that cannot even be looked at, so that the others still are."""
        try:
            connection.sweep(now, elapsed)
        except Exception:
            log.exception("a connection's deadlines could not be looked at; it is dropped")
            connection.abort()

    def governed(self) -> list[Governed]:
        return cast("list[Governed]", list(self.connections))
