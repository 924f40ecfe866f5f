"""Whether somebody may send a large body at all, from the headers alone: it is asked before any of it is read."""

from foretell.addresses import split_prefix
from foretell.asgi import Message, Scope
from foretell.errors import ForetellError
from foretell.serving.door import Door
from foretell.serving.exchange import Exchange, Head, Terms


class Uploaders:
    """Known to the door, that is; what they may push where is decided behind it."""

    def __init__(self, door: Door, *, terms: Terms) -> None:
        self._door, self._terms = door, terms

    async def may_send_body(self, scope: Scope) -> bool:
        prefixed = split_prefix(scope["path"])
        prefix, path = prefixed or (None, scope["path"])
        head = Head(scope, path=path, prefix=prefix, takes_session=True)
        exchange = Exchange(head, scope, _nothing, terms=self._terms)
        try:
            await self._door.enter(exchange)
        except ForetellError:
            return False
        return True


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
