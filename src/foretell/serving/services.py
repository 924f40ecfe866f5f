"""What every face needs of the lane: the door, and the one path of a prediction."""

import time

from foretell.errors import ForetellError
from foretell.inference.answering import Parse, Prediction
from foretell.inference.logged import Asked
from foretell.inference.predicting import LoadedModel
from foretell.serving.admission import Admission
from foretell.serving.catalogue import Model, Principal, Tenant, Version
from foretell.serving.door import Door, known
from foretell.serving.exchange import Exchange
from foretell.serving.faces import Handler
from foretell.serving.measuring import Measures
from foretell.serving.ports import Models
from foretell.serving.predicting import Call, Predictor, find_version
from foretell.serving.responses import Response
from foretell.serving.routing import number_of

LATE_S = 0.5  # a body that took longer to come may find that much has changed


class LaneServices:
    def __init__(self, *, door: Door, predictor: Predictor, models: Models, measures: Measures | None = None) -> None:
        self.door, self._predictor, self._models = door, predictor, models
        self.measures = measures or Measures()

    def refusal(self, error: ForetellError) -> Handler:
        """Return a handler that raises an error; an address of nobody's is refused as such first, as everywhere."""

        async def refuse(exchange: Exchange) -> Response:
            self.door.tenant(exchange)
            raise error

        return refuse

    async def enter(self, exchange: Exchange) -> Principal:
        """Find out whose address this is and who asks; raises what `Door.enter` raises."""
        return await self.door.enter(exchange)

    async def visit(self, exchange: Exchange) -> None:
        """Let in, and count, who asks for something else than a prediction; raises what `Door.enter` and `Door.count` raise."""
        await self.door.enter(exchange)
        self.door.count(exchange)

    async def admit(self, exchange: Exchange, name: str) -> Admission:
        """Let somebody predict with a model, and count it; raises what `Door.admit` raises."""
        return await self.door.admit(exchange, name)

    def see(self, exchange: Exchange, name: str) -> Model:
        """Return a model that the principal may know of, without counting anything; raises what `Door.see` raises."""
        return self.door.see(exchange, name)

    async def find(
        self, exchange: Exchange, name: str, *, alias: str | None, version: str | None
    ) -> tuple[Model, Version]:
        """Let in, and count, who asks for a version itself; return it where it is ready, by what stands in the address.

        Raises
        ------
        ForetellError
            as `Door.enter`, `Door.count`, `Door.see`, `number_of` and `find_version` do.
        """
        await self.visit(exchange)
        model = self.see(exchange, name)
        return model, find_version(model, alias=alias, number=number_of(name, version))

    async def ready(self, exchange: Exchange, name: str, *, alias: str | None, version: str | None) -> Model:
        """Return the model of a version that answers: it is in memory now, whoever asks next.

        Raises
        ------
        ForetellError
            as `find`; and where the version cannot be loaded.
        """
        model, found = await self.find(exchange, name, alias=alias, version=version)
        tenant, _ = known(exchange)
        await self.describe(tenant, model, found)
        return model

    async def predict(
        self,
        exchange: Exchange,
        admission: Admission,
        *,
        alias: str | None,
        number: int | None,
        parse: Parse,
        media_type: str = "",
    ) -> Prediction:
        """Answer an exchange that was let in, with its body read.

        Parameters
        ----------
        media_type
            Of the body, where it is one of our own API's; "" for another protocol's, whose rows are logged as columns.
        """
        if time.perf_counter() - exchange.started > LATE_S:
            admission = await self.door.still(exchange, admission)
        try:
            version = find_version(admission.model, alias=alias, number=number)
        except ForetellError:  # it may have become ready, or its alias been moved, a moment ago
            if not await self.door.is_changed(exchange):
                raise
            admission = await self.door.still(exchange, admission)
            version = find_version(admission.model, alias=alias, number=number)
        exchange.version = version.number
        asked = Asked(exchange.face, exchange.read or b"", media_type)
        tenant, _ = known(exchange)
        call = Call(tenant, admission, version, asked, parse, exchange.known_id)
        prediction = self._predictor.answer_at_once(call) or await self._predictor.predict(call)
        exchange.known_id = exchange.known_id or prediction.id
        exchange.model_ms, exchange.n_rows = prediction.duration_s * 1e3, prediction.parsed.batch.n_rows
        return prediction

    async def describe(self, tenant: Tenant, model: Model, version: Version) -> LoadedModel:
        """Return a version in memory for what its signature says; it is given back at once, and stays readable."""
        loaded = self._models.lend(tenant, version) or await self._models.load(tenant, model, version)
        self._models.give_back(tenant, version)
        return loaded
