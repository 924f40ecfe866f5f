"""A catalogue of models that differ, made at once and not one push after another."""

from typing import Any

from tests.cast import House


def listed_model(house: House, name: str, *, by: str = "alice", **fields: Any) -> Any:
    """Return a registered model without versions."""
    from foretell.registry.models import RegisteredModel

    with house.inside():
        return RegisteredModel.objects.create(name=name, created_by=house.user(by), **fields)


def listed_version(model: Any, house: House, *, number: int = 1, alias: str | None = None, **fields: Any) -> Any:
    """Return a version that nobody can ask: what is listed of one, and no file."""
    from foretell.registry.models import Alias, ModelVersion

    with house.inside():
        version = ModelVersion.objects.create(
            model=model, number=number, push_digest=f"{number:064}", created_by=model.created_by,
            **{"state": "ready", "seal": "x", **fields},
        )  # fmt: skip
        if alias:
            Alias.objects.create(model=model, name=alias, version=version)
        return version
