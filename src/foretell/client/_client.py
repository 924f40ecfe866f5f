"""The client for programs that wait. What each call does is in `_flows`; this carries it out."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar, overload

import httpx

from foretell.client import _flows as flows
from foretell.client import _replies as replies
from foretell.client import _requests as requests
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
from foretell.client._sending import options, sent

DEFAULT_TIMEOUT_S = 30.0

T = TypeVar("T")


class Client:
    """Talks to a Foretell server. Keeps its connections; safe to use from several threads.

    Parameters
    ----------
    url : str, optional
        Where the server is, such as ``https://models.example.com``. Else ``FORETELL_URL``, else what `foretell login` stored.
    api_key : str, optional
        Else ``FORETELL_API_KEY``, else the stored one of this very server.
    tenant : str, optional
        For a server whose host name does not say which tenant. Else ``FORETELL_TENANT``, else the stored one.
    timeout_s : float, default=30
        Longest silence of the server in the middle of a call, in seconds.
    transport : httpx.BaseTransport, optional
        What carries the requests: for tests, proxies and Unix sockets.

    Raises
    ------
    NotConfigured
        when no server or no key is known.

    Examples
    --------
    >>> with Client() as client:  # doctest: +SKIP
    ...     client.predict("iris", {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, ...}).prediction
    'virginica'
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        tenant: str | None = None,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = resolve(url, api_key, tenant)
        self.url = settings.root
        self._http = httpx.Client(transport=transport, **options(settings, timeout_s))  # type: ignore[arg-type]  # one dict for both of httpx's clients

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def close(self) -> None:
        """Let go of the connections; safe to repeat."""
        self._http.close()

    def me(self) -> Person:
        """Return who the key belongs to."""
        return self._run(flows.call(requests.me(), replies.person))

    def models(self, *, search: str | None = None) -> list[Model]:
        """Return all registered models that the key may see."""
        return self._run(flows.every(requests.models(search=search), replies.models_page))

    def model(self, name: str) -> Model:
        """Return one registered model, with its signature."""
        return self._run(flows.call(requests.model(name), replies.model))

    def versions(self, name: str) -> list[Version]:
        """Return all versions of a model, the newest first."""
        return self._run(flows.every(requests.versions(name), replies.versions_page))

    def version(self, name: str, number: int) -> Version:
        """Return one version of a model."""
        return self._run(flows.call(requests.version(name, number), replies.version))

    def push_version(
        self,
        name: str,
        files: Sequence[File],
        *,
        sample: bytes | None = None,
        metadata: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Pushed:
        """Upload a version as it is, and return it before it is built. `foretell.push` is the convenient way.

        Parameters
        ----------
        files
            1 to 8 pairs of name and content, in the order in which rows go through them.
        sample
            Rows like those of training, as CSV with a header line.
        metadata
            What docs/push.md lists: alias, metrics, tags, target, lineage, …
        progress
            Called with bytes sent and bytes in all, as the upload goes on.
        """
        request = requests.push(name, files, sample=sample, metadata=metadata or {}, progress=progress)
        return self._run(flows.call(request, replies.pushed))

    def wait_until_built(
        self, name: str, number: int, *, timeout_s: float = 300.0, on_state: OnState | None = None
    ) -> Version:
        """Return the version when it is ready.

        Raises
        ------
        BuildFailed
            with the reason, in words for the author.
        BuildTimedOut
            when it is not ready after `timeout_s` seconds.
        """
        return self._run(flows.wait_until_built(name, number, timeout_s=timeout_s, on_state=on_state))

    def promote(
        self, name: str, version: int, alias: str = "champion", *, allow_signature_change: bool = False
    ) -> Alias:
        """Point an alias at a version; the next prediction through it uses that one.

        Where the model asks for a second person it is a request, and what comes back `is_waiting`.

        Raises
        ------
        Conflict
            when the version is not ready, when somebody moved the alias meanwhile, or when callers of the present
            version would be refused by this one and `allow_signature_change` does not say that this is meant.
        """
        return self._run(flows.promote(name, version, alias, allow_signature_change=allow_signature_change))

    def rollback(self, name: str, alias: str = "champion") -> Alias:
        """Point an alias back at the version before; again, and it goes one further back."""
        return self._run(flows.call(requests.rollback(name, alias), replies.alias))

    def promotions(self, *, state: str | None = None) -> list[Promotion]:
        """Return promotions of models that ask for a second person, the newest first; `state`: "open", say."""
        return self._run(flows.every(requests.promotions(state=state), replies.promotions_page))

    def approve(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        """Agree as the second person: the alias moves at once."""
        return self._decide(promotion, "approve", comment)

    def decline(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        """Say no as the second person: the alias stays where it is."""
        return self._decide(promotion, "decline", comment)

    def withdraw(self, promotion: Promotion, *, comment: str = "") -> Promotion:
        """Take back what one asked for oneself."""
        return self._decide(promotion, "withdraw", comment)

    def _decide(self, promotion: Promotion, verb: str, comment: str) -> Promotion:
        request = requests.decide(promotion.model, promotion.id, verb, comment)
        return self._run(flows.call(request, replies.promotion))

    @overload
    def predict(
        self, name: str, rows: Mapping[str, Any], *, alias: str | None = None, version: int | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, name: str, rows: Sequence[Any], *, alias: str | None = None, version: int | None = None
    ) -> Predictions: ...
    @overload
    def predict(self, name: str, rows: Any, *, alias: str | None = None, version: int | None = None) -> Any: ...
    def predict(
        self, name: str, rows: Any, *, alias: str | None = None, version: int | None = None
    ) -> Prediction | Predictions:
        """Ask a model: its champion, or the version that `alias` or `version` names.

        Parameters
        ----------
        rows
            One row as a mapping: the answer is a `Prediction`. A list of rows, a pandas or polars DataFrame or a
            two-dimensional array: the answer is a `Predictions`. NaN and None are missing values.

        Raises
        ------
        InvalidRequest
            when rows do not fit the signature; `errors` names the place, what was found and what is allowed.
        """
        return self._run(flows.predict(name, rows, alias=alias, version=version))

    def predict_csv(self, name: str, table: bytes, *, alias: str | None = None, version: int | None = None) -> bytes:
        """Ask with a CSV table, and return it with the columns of the answers."""
        request = requests.predict_csv(name, table, alias=alias, version=version)
        return self._run(flows.call(request, replies.table))

    def predict_table(
        self, name: str, table: bytes, *, alias: str | None = None, version: int | None = None
    ) -> Predictions:
        """Ask with a CSV table, and return the answers as values."""
        return self._run(flows.predict_table(name, table, alias=alias, version=version))

    def logs(
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
        """Return what was asked of a model, or of all, the newest first: an admin sees everybody's, others their own.

        A prediction is here within about a second. Its inputs and outputs are not in the list; `logged` has them.
        """
        request = requests.logs(
            name, version=version, since=since, until=until, user=user, key=key, request_id=request_id
        )
        return self._run(flows.every(request, replies.logs_page, limit=limit))

    def logged(self, id: str) -> LoggedPrediction:
        """Return one prediction from the log, by the id that its answer has, with inputs and outputs."""
        return self._run(flows.call(requests.logged(id), replies.logged))

    def _run(self, flow: Flow[T]) -> T:
        step = flows.advance(flow, None)
        while not isinstance(step, Done):
            step = flows.advance(flow, self._carried_out(step))
        return step.value

    def _carried_out(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return sent(self._http, step)
        except ConnectionFailed as error:
            return error
