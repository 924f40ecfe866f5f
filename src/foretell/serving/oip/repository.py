"""Triton's model repository: what there is, in which state. Loading is Foretell's own business, so that asking for it changes little."""

from typing import Any

from foretell.errors import ForetellError
from foretell.inference.codec.strict_json import decode
from foretell.inference.codec.wording import shown
from foretell.inference.tensors.shapes import wrong
from foretell.refusals import NotAllowed
from foretell.serving.catalogue import Model, Version
from foretell.serving.door import known
from foretell.serving.exchange import Exchange
from foretell.serving.listing import visible_models
from foretell.serving.plain_json import replied
from foretell.serving.predicting import find_version
from foretell.serving.responses import Response
from foretell.serving.services import LaneServices

READY, LOADING, UNAVAILABLE = "READY", "LOADING", "UNAVAILABLE"


class CannotLoad(ForetellError):
    """The extension knows one status for all that can be the matter."""

    code = "bad_request"


class Repository:
    def __init__(self, services: LaneServices) -> None:
        self._services = services

    async def models(self, exchange: Exchange) -> Response:
        await self._services.visit(exchange)
        return replied({"models": [model.name for model in visible_models(exchange)]})

    async def index(self, exchange: Exchange) -> Response:
        await self._services.visit(exchange)
        only_ready = _asks_for_ready(await exchange.body(decompress=True))
        entries = [_entry(model, version) for model in visible_models(exchange) for version in _sorted(model)]
        return replied([entry for entry in entries if not only_ready or entry["state"] == READY])

    async def load(self, exchange: Exchange, *, name: str) -> Response:
        """Bring the champion into memory, where it would come at its first prediction."""
        model, version = await self._servable(exchange, name)
        tenant, _ = known(exchange)
        await self._services.describe(tenant, model, version)
        return replied({"name": model.name, "load": True})

    async def unload(self, exchange: Exchange, *, name: str) -> Response:
        """Change nothing: a model that is not asked goes by itself, and one that is archived is not here."""
        model, _ = await self._servable(exchange, name)
        return replied({"name": model.name, "unload": True})

    async def _servable(self, exchange: Exchange, name: str) -> tuple[Model, Version]:
        await self._services.visit(exchange)
        try:
            model = self._services.see(exchange, name)
            return model, find_version(model, alias=None, number=None)
        except NotAllowed:
            raise
        except ForetellError as error:
            raise CannotLoad(error.message) from error


def _sorted(model: Model) -> list[Version]:
    return [version for _, version in sorted(model.versions.items())]


def _entry(model: Model, version: Version) -> dict[str, str]:
    state = READY if version.is_ready else UNAVAILABLE if version.state == "failed" else LOADING
    return {"name": model.name, "version": str(version.number), "state": state, "reason": version.reason}


def _asks_for_ready(body: bytes) -> bool:
    if not body.strip():
        return False
    asked: Any = decode(body)
    if not isinstance(asked, dict) or not isinstance(ready := asked.get("ready", False), bool):
        raise wrong(
            "", "ready", "not_a_boolean", f'Found {shown(asked)}; expected an object such as {{"ready": true}}.'
        )
    return ready
