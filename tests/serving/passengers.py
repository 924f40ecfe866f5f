"""A model with an input of every datatype, for the protocols' tests: whoever is a woman survives."""

from dataclasses import replace

import numpy as np

from foretell.inference.batch import Batch, OutputValues, Predictions
from foretell.inference.predicting import LoadedModel
from foretell.inference.signature import Output, Signature, Task
from foretell.serving.catalogue import Model, Version
from tests.inference.signatures import PASSENGERS
from tests.serving.world import World

SIGNATURE = Signature(
    inputs=PASSENGERS.inputs,
    outputs=(Output(name="fate", task=Task.BINARY, classes=("died", "survived"), probabilities=True),),
)
ROW = {
    "pclass": 1, "sex": "female", "age": 29.0, "embarked": "S", "cabin": "B5", "boarded": "1912-04-10T12:00:00Z", "alone": True, "deck": 2,
}  # fmt: skip


class WomenFirst:
    name = "onnx"

    def run(self, batch: Batch) -> Predictions:
        survives = np.array([sex == "female" for sex in batch.columns["sex"]])
        labels = np.where(survives, "survived", "died").astype(object)
        chances = np.where(survives, 0.75, 0.25)
        return Predictions({"fate": OutputValues(labels, np.column_stack([1 - chances, chances]))}, batch.n_rows)

    def close(self) -> None:
        return


def add_passengers(world: World) -> None:
    """Give acme the model, as version 3 of `titanic`, beside a version that is being built and one that failed."""
    tenant = world.catalogue.named("acme")
    assert tenant is not None
    versions = {
        3: Version(pk=33, number=3, is_ready=True),
        4: Version(pk=34, number=4, is_ready=False, state="building"),
        5: Version(pk=35, number=5, is_ready=False, state="failed", reason="no graph"),
    }
    aliases = {"champion": 3, "next": 4}
    titanic = Model(name="titanic", versions=versions, aliases=aliases)
    world.catalogue.put(replace(tenant, models={**tenant.models, "titanic": titanic}, verified={}))
    world.models.put(tenant, versions[3], LoadedModel(SIGNATURE, WomenFirst()))
