"""The one path of a prediction on the lane: version → model in memory → rows → answer → log. Every face ends here."""

import time
from collections.abc import Callable

from foretell.inference.answering import Parse, Prediction, answer
from foretell.inference.logged import Asked, record_of
from foretell.inference.predicting import LoadedModel
from foretell.naming import CHAMPION
from foretell.refusals import ModelNotFound, NoSuchAlias, NoSuchVersion, not_ready
from foretell.serving.admission import Admission
from foretell.serving.catalogue import Model, Tenant, Version
from foretell.serving.costs import Cost
from foretell.serving.ports import Limits, Log, Models
from foretell.serving.scheduling import Scheduler

LARGE_BODY_BYTES = 1 << 20  # is read in a thread, whatever it took before: the loop is everybody's
SHORT_RUN_S = 0.002
MAX_COSTS = 20_000


class Call:
    """A prediction that was let in.

    request_id : None where it has none by now: then it is the prediction's.
    """

    __slots__ = ("admission", "asked", "parse", "request_id", "tenant", "version")

    def __init__(
        self, tenant: Tenant, admission: Admission, version: Version, asked: Asked, parse: Parse, request_id: str | None
    ) -> None:  # fmt: skip
        self.tenant, self.admission, self.version, self.asked = tenant, admission, version, asked
        self.parse, self.request_id = parse, request_id


def find_version(model: Model, *, alias: str | None, number: int | None) -> Version:
    """Return the ready version that is asked for: the one of a number, or of an alias, by default the champion's.

    Raises
    ------
    ModelNotFound, NoSuchVersion, NoSuchAlias, VersionNotReady
    """
    if not model.versions:
        raise ModelNotFound
    if number is None:
        number = model.aliases.get(alias or CHAMPION)
        if number is None:
            raise NoSuchAlias(model.name, alias or CHAMPION)
    version = model.versions.get(number)
    if version is None:
        raise NoSuchVersion(model.name, number)
    if not version.is_ready:
        raise not_ready(model.name, version.number, version.state, version.reason)
    return version


class Predictor:
    """Answers calls, each where it belongs: a short run at once, a long one in a thread of the scheduler's."""

    def __init__(self, *, models: Models, limits: Limits, log: Log, scheduler: Scheduler) -> None:
        self._models, self._limits, self._log, self._scheduler = models, limits, log, scheduler
        self._costs: dict[tuple[str, int], Cost] = {}

    def answer_at_once(self, call: Call) -> Prediction | None:
        """Answer a call that waits for nothing: its version is in memory, and its run is short; else return None.

        Raises
        ------
        InvalidInput, QuotaExceeded, RunFailed, LogUnavailable
        """
        tenant, version = call.tenant, call.version
        loaded = self._models.lend(tenant, version)
        if loaded is None:
            return None
        try:
            cost = self._cost(tenant, version)
            return self._answered(loaded, call, cost) if is_short(loaded, call, cost) else None
        finally:
            self._models.give_back(tenant, version)

    async def predict(self, call: Call) -> Prediction:
        """Answer a call, whatever it takes.

        Raises
        ------
        InvalidInput, QuotaExceeded, RunFailed, SandboxError, LogUnavailable, Overloaded
        """
        tenant, version = call.tenant, call.version
        loaded = self._models.lend(tenant, version)
        if loaded is None:
            loaded = await self._models.load(tenant, call.admission.model, version)
        try:
            cost = self._cost(tenant, version)
            if is_short(loaded, call, cost):
                return self._answered(loaded, call, cost)
            # In a thread, others' turns are in the wall's time; the processor's is what the call itself takes.
            return await self._scheduler.run(
                lambda: self._answered(loaded, call, cost, time.thread_time),
                tenant=tenant.id, model=(tenant.id, version.pk),
            )  # fmt: skip
        finally:
            self._models.give_back(tenant, version)

    def _cost(self, tenant: Tenant, version: Version) -> Cost:
        key = (tenant.id, version.pk)
        found = self._costs.get(key)
        if found is None:
            if len(self._costs) >= MAX_COSTS:
                self._costs.clear()
            found = self._costs[key] = Cost()
        return found

    def _answered(
        self, loaded: LoadedModel, call: Call, cost: Cost, processor_clock: Callable[[], float] | None = None
    ) -> Prediction:
        clock = processor_clock or time.perf_counter
        began, admission = clock(), call.admission
        prediction = answer(
            loaded, call.parse, model=admission.model.name, version=call.version.number, count_rows=self._counter(call.tenant)
        )  # fmt: skip
        self._record(call, prediction, None if processor_clock is None else processor_clock() - began)
        cost.learn(len(call.asked.body), clock() - began)
        return prediction

    def _counter(self, tenant: Tenant) -> Callable[[int], None] | None:
        """Return what takes rows from the tenant's month, where that has an end."""
        if tenant.requests_per_month is None and tenant.rows_per_month is None:
            return None
        return lambda rows: self._limits.take_quota(tenant, rows=rows)

    def _record(self, call: Call, prediction: Prediction, cpu_s: float | None) -> None:
        """Keep what was asked and answered before the answer goes out."""
        admission = call.admission
        tenant, principal, model = call.tenant, admission.principal, admission.model
        record = record_of(
            prediction, call.asked, tenant=tenant.id, user_id=principal.user_id, key_id=principal.key_id,
            request_id=call.request_id or prediction.id, policy=model.log_payload, redacted=model.redacted_inputs,
            cpu_s=cpu_s,
        )  # fmt: skip
        self._log.append(record, is_required=tenant.log_is_required)


def is_short(loaded: LoadedModel, call: Call, cost: Cost) -> bool:
    """Whether the call may run on the event loop: so short that handing it to a thread would cost others more."""
    n_bytes = len(call.asked.body)
    return n_bytes < LARGE_BODY_BYTES and loaded.runtime.name == "onnx" and cost.expected_s(n_bytes) <= SHORT_RUN_S
