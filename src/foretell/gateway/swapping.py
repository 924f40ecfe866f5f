"""A swap without a seam: an alias leads to another version only when that is loaded; all else of a change holds at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from foretell.serving.catalogue import Model, Tenant, Version

IsLoaded = Callable[[Version], bool]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A version that an alias is to lead to as soon as it is loaded."""

    model: Model
    alias: str
    version: Version


def held_back(wanted: Tenant, published: Tenant | None, is_loaded: IsLoaded) -> tuple[Tenant, list[Awaited]]:
    """Return the entry that may be published now, and what it waits for.

    An alias stays where it is as long as it leads to a version that is loaded, and would lead to one that is not.
    """
    if published is None:
        return wanted, []
    models, awaited = dict(wanted.models), list[Awaited]()
    for name, model in wanted.models.items():
        before = published.models.get(name)
        waiting = [] if before is None else _awaited(model, before, is_loaded)
        if before is not None and waiting:
            aliases = {**model.aliases, **{one.alias: before.aliases[one.alias] for one in waiting}}
            models[name] = replace(model, aliases=aliases)
            awaited += waiting
    return (replace(wanted, models=models, verified={}) if awaited else wanted), awaited


def replaced(before: Tenant | None, after: Tenant) -> list[Version]:
    """Return the versions that an alias led to before, and none does any more."""
    if before is None:
        return []
    pointed = {version.pk for model in after.models.values() for version in _pointed(model)}
    return [
        version for model in before.models.values() for version in _pointed(model) if version.pk not in pointed
    ]  # fmt: skip


def _awaited(model: Model, before: Model, is_loaded: IsLoaded) -> list[Awaited]:
    if model.aliases == before.aliases:
        return []
    found = []
    for alias, number in model.aliases.items():
        old, new = _version(before, before.aliases.get(alias)), model.versions.get(number)
        if old is None or new is None or old.pk == new.pk or _version(model, old.number) != old:
            continue
        if new.is_ready and is_loaded(old) and not is_loaded(new):
            found.append(Awaited(model, alias, new))
    return found


def _pointed(model: Model) -> list[Version]:
    return [model.versions[number] for number in model.aliases.values() if number in model.versions]


def _version(model: Model, number: int | None) -> Version | None:
    return None if number is None else model.versions.get(number)
