"""The client for programs that do not wait: `Client`, with `await`. Its methods are documented there."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar, overload

import httpx

from foretell.client import _flows as flows
from foretell.client import _replies as replies
from foretell.client import _requests as requests
from foretell.client._client import DEFAULT_TIMEOUT_S
from foretell.client._config import resolve
from foretell.client._errors import ConnectionFailed
from foretell.client._flows import Done, Flow, OnState, Outcome, Pause, Step
from foretell.client._requests import File, Progress
from foretell.client._resources import (
    Alias,
    LoggedPrediction,
    Model,
    Person,
    Prediction,
    Predictions,
    Promotion,
    Pushed,
    Version,
)
from foretell.client._sending import options, sent_async

T = TypeVar("T")


class AsyncClient:
    """Talks to a Foretell server without blocking; parameters and errors as in `Client`.

    Examples
    --------
    >>> async with AsyncClient() as client:  # doctest: +SKIP
    ...     answers = await asyncio.gather(*(client.predict("iris", row) for row in rows))
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        tenant: str | None = None,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        settings = resolve(url, api_key, tenant)
        self.url = settings.root
        self._http = httpx.AsyncClient(transport=transport, **options(settings, timeout_s))  # type: ignore[arg-type]  # one dict for both of httpx's clients

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"

    async def close(self) -> None:
        """Let go of the connections; safe to repeat."""
        await self._http.aclose()

    async def me(self) -> Person:
        return await self._run(flows.call(requests.me(), replies.person))

    async def models(self, *, search: str | None = None) -> list[Model]:
        return await self._run(flows.every(requests.models(search=search), replies.models_page))

    async def model(self, name: str) -> Model:
        return await self._run(flows.call(requests.model(name), replies.model))

    async def versions(self, name: str) -> list[Version]:
        return await self._run(flows.every(requests.versions(name), replies.versions_page))

    async def version(self, name: str, number: int) -> Version:
        return await self._run(flows.call(requests.version(name, number), replies.version))

    async def push_version(
        self,
        name: str,
        files: Sequence[File],
        *,
        sample: bytes | None = None,
        metadata: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Pushed:
        request = requests.push(name, files, sample=sample, metadata=metadata or {}, progress=progress)
        return await self._run(flows.call(request, replies.pushed))

    async def wait_until_built(
        self, name: str, number: int, *, timeout_s: float = 300.0, on_state: OnState | None = None
    ) -> Version:
        return await self._run(flows.wait_until_built(name, number, timeout_s=timeout_s, on_state=on_state))

    async def promote(
        self, name: str, version: int, alias: str = "champion", *, allow_signature_change: bool = False
    ) -> Alias:
        return await self._run(flows.promote(name, version, alias, allow_signature_change=allow_signature_change))

    async def rollback(self, name: str, alias: str = "champion") -> Alias:
        return await self._run(flows.call(requests.rollback(name, alias), replies.alias))

    async def promotions(self, *, state: str | None = None) -> list[Promotion]:
        return await self._run(flows.every(requests.promotions(state=state), replies.promotions_page))

    async def approve(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        return await self._decide(promotion, "approve", comment)

    async def decline(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        return await self._decide(promotion, "decline", comment)

    async def withdraw(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        return await self._decide(promotion, "withdraw", comment)

    async def _decide(self, promotion: Promotion, verb: str, comment: str) -> Promotion:
        request = requests.decide(promotion.model, promotion.id, verb, comment)
        return await self._run(flows.call(request, replies.promotion))

    @overload
    async def predict(
        self, name: str, rows: Mapping[str, Any], *, alias: str | None = None, version: int | None = None
    ) -> Prediction: ...
    @overload
    async def predict(
        self, name: str, rows: Sequence[Any], *, alias: str | None = None, version: int | None = None
    ) -> Predictions: ...
    @overload
    async def predict(self, name: str, rows: Any, *, alias: str | None = None, version: int | None = None) -> Any: ...
    async def predict(
        self, name: str, rows: Any, *, alias: str | None = None, version: int | None = None
    ) -> Prediction | Predictions:
        return await self._run(flows.predict(name, rows, alias=alias, version=version))

    async def predict_csv(
        self, name: str, table: bytes, *, alias: str | None = None, version: int | None = None
    ) -> bytes:
        request = requests.predict_csv(name, table, alias=alias, version=version)
        return await self._run(flows.call(request, replies.table))

    async def predict_table(
        self, name: str, table: bytes, *, alias: str | None = None, version: int | None = None
    ) -> Predictions:
        return await self._run(flows.predict_table(name, table, alias=alias, version=version))

    async def logs(
        self,
        name: str | None = None,
        *,
        version: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user: str | None = None,
        key: str | None = None,
        request_id: str | None = None,
        limit: int = 200,
    ) -> list[LoggedPrediction]:
        request = requests.logs(
            name, version=version, since=since, until=until, user=user, key=key, request_id=request_id
        )
        return await self._run(flows.every(request, replies.logs_page, limit=limit))

    async def logged(self, id: str) -> LoggedPrediction:
        return await self._run(flows.call(requests.logged(id), replies.logged))

    async def _run(self, flow: Flow[T]) -> T:
        step = flows.advance(flow, None)
        while not isinstance(step, Done):
            step = flows.advance(flow, await self._carried_out(step))
        return step.value

    async def _carried_out(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await sent_async(self._http, step)
        except ConnectionFailed as error:
            return error
