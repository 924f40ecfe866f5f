"""What the connections of one server share."""

from typing import Protocol as Interface
from typing import cast

from uvicorn.server import ServerState

from foretell.webserver.bounds import Bounds
from foretell.webserver.clients import Clients
from foretell.webserver.overload import Load
from foretell.webserver.refusals import Refusal, too_many_connections

ROOM_TO_REFUSE = 50  # connections beyond the cap that are told why; what comes on top is dropped


class Governed(Interface):
    """A connection, over HTTP or a WebSocket."""

    def sweep(self, now: float, elapsed: float) -> None:
        """Look at its deadlines."""
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
        self.leaving_since: float | None = None  # from here on each answer is the last one of its connection
        self._swept_at = load.now
        load.tasks, load.open_connections = self.tasks, self.connections

    @property
    def is_flooded(self) -> bool:
        return len(self.connections) > self.bounds.max_connections + ROOM_TO_REFUSE

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
        elapsed = now - self._swept_at
        if elapsed < self.bounds.sweep_s:
            return
        self._swept_at = now
        for connection in self.governed():
            connection.sweep(now, elapsed)

    def governed(self) -> list[Governed]:
        return cast("list[Governed]", list(self.connections))
