"""One method of one route, as both twins know it, and its address with ids that only one of them has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import resolve, reverse

from tests.isolation.asking import STREAM
from tests.isolation.twins import Ids

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Spot:
    """A place in an address where an id stands."""

    name: str
    value: Any


@dataclass(frozen=True)
class Call:
    """One method of one route, as both twins know it."""

    method: str
    route: str
    path: str
    options: Mapping[str, Any]
    spots: tuple[Spot, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path if self.route in LANE else self.route}"

    @property
    def is_write(self) -> bool:
        return self.method not in (*SAFE, STREAM)

    @property
    def predicts(self) -> bool:
        """Whether what it takes are rows, whose numbers name nothing."""
        return self.route in (*LANE, "web:model") or self.route.startswith("registry:predict")

    @property
    def is_page(self) -> bool:
        return (
            self.method != STREAM
            and not self.path.startswith(("/api/", "/v1/", "/v2", "/.well-known/"))
            and self.route != "mlflow"
        )

    def path_with(self, ids: Ids, *names: str) -> str:
        """Return the address with `ids` at these spots, and what both have at the others."""
        kwargs = {spot.name: other(spot, ids) if spot.name in names else spot.value for spot in self.spots}
        if self.route in LANE:
            return LANE[self.route](self, kwargs)
        path, mark, query = self.path.partition("?")
        return reverse(self.route, kwargs={**resolve(path).kwargs, **kwargs}) + mark + query


def other(spot: Spot, ids: Ids) -> Any:
    """Return an id of the same kind as the one that stands there."""
    return changed(spot.value, ids)


def changed(value: Any, ids: Ids) -> Any:
    """Return what only one tenant has, in the place of a value that both have: by the value's own form."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return ids.number
    if isinstance(value, UUID):
        return UUID(ids.uuid())
    if isinstance(value, list):
        return [changed(one, ids) for one in value]
    if not isinstance(value, str):
        return value
    if value.isdecimal():
        return str(ids.number)
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        return ids.uuid()
    return ids.email if "@" in value else ids.text


# --- the lane: its routes are patterns, not names -----------------------------------------------------------------------


def lane_spots(path: str) -> tuple[Spot, ...]:
    """Return the model, the alias and the version of an address of a protocol."""
    found = re.search(r"/models/(?P<name>[^/@:]+)(?:@(?P<alias>[^/@:]+)|/versions/(?P<number>\d+))?", path)
    groups = found.groupdict() if found else {}
    return tuple(Spot(name, int(value) if name == "number" else value) for name, value in groups.items() if value)


def _lane_path(call: Call, kwargs: Mapping[str, Any]) -> str:
    path = call.path
    for spot in call.spots:
        before, after = {"name": "/models/", "alias": "@", "number": "/versions/"}[spot.name], str(kwargs[spot.name])
        path = path.replace(f"{before}{spot.value}", f"{before}{after}", 1)
    return path


LANE = dict.fromkeys(("oip", "kserve", "mlflow", "stream"), _lane_path)
