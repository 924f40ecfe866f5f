"""The examples of this project as versions that are served: real estimators on real data, trained once in a run."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.cast import House

if TYPE_CHECKING:
    from foretell.inference.converted import ConvertedModel


@cache
def converted_example(name: str) -> "ConvertedModel":
    """Train `examples/<name>` and convert it, as a push of it does."""
    from foretell.inference.conversion import convert

    example = import_module(f"examples.{name}.train")
    trained = example.train()
    return convert(trained.model, trained.sample, refinements=example.REFINEMENTS)


def ready_example(house: House, name: str, *, by: str = "alice") -> Any:
    return ready_version(house, converted_example(name), name=name, by=by)


def ready_version(house: House, model: "ConvertedModel", *, name: str, by: str = "alice") -> Any:
    """Push what an author's environment converted, and finish its build as a worker would."""
    from django.utils import timezone

    from foretell.inference.building import BuiltModel
    from foretell.registry import building, storage
    from foretell.registry.pushing import PushMetadata, Upload, push_version

    assert model.graph is not None
    with house.inside():
        stored = storage.store([model.graph])
        version, _ = push_version(
            name=name,
            uploads=[Upload("model.onnx", stored)],
            sample=None,
            metadata=PushMetadata(converted=model.to_json()),
            principal=house.principal(by),
            now=timezone.now(),
        )
        claimed = building.claim(version.pk, now=timezone.now())
        assert claimed is not None
        built = BuiltModel(
            runtime=model.runtime, artifact=model.graph, signature=model.signature, parity=model.parity,
            examples=model.examples, libraries=model.libraries, reason=model.reason,
        )  # fmt: skip
        building.finish(claimed, built, stored)
        version.refresh_from_db()
        return version
