"""Every call there is: of the URLconf's routes, of those of the lane's protocols, and of the streams. One without a recipe fails."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.urls import NoReverseMatch, Resolver404, get_resolver, resolve, reverse

from tests import permission_matrix as matrix
from tests.audit import test_every_change as audited
from tests.isolation.asking import STREAM
from tests.isolation.calling import LANE, Call, Spot, lane_spots, other
from tests.isolation.recipes import ADDRESSES, RECIPES, WAY_OUT, Recipe
from tests.isolation.twins import Ids


@cache
def calls() -> tuple[Call, ...]:
    """Return every call there is; of routes without a recipe, what `missing` tells."""
    return tuple({str(call): call for call in (*_djangos(), *_protocols(), *_streams())}.values())


def missing() -> list[str]:
    """Return the routes that nobody said how to call."""
    known = {(call.method, call.route) for call in calls()}
    found = [f"{method} {route}" for method, route, _ in routes() if (method, route) not in known]
    return found + [f"{method} {pattern}" for method, pattern in _protocol_routes() if not _rows_for(method, pattern)]


def routes() -> Iterator[tuple[str, str, Any]]:
    """Yield each method of each named route of the URLconf. A page does not say what it takes: it is read, and sent its form."""
    for route, pattern in matrix.named(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
        for method in getattr(view, "required_actions", None) or _methods_of_page(route, view):
            yield method, route, pattern


def _methods_of_page(route: str, view: Any) -> tuple[str, ...]:
    if route.startswith("headless:"):
        return tuple(
            name.upper()
            for name in ("get", "post", "put", "delete")
            if name in view.http_method_names and hasattr(view, name)
        )
    reads = () if route in matrix.POST_ONLY or matrix.FLOWS.get(route, ("GET",))[0] == "POST" else ("GET",)
    has_post = hasattr(view, "post") if view is not None else route not in audited.READ_PAGES
    return (*reads, *(("POST",) if has_post else ()))


def _djangos() -> Iterator[Call]:
    for method, route, _ in routes():
        recipe = _recipe(method, route)
        if recipe is not None:
            yield Call(method, route, recipe.path, recipe.options, _spots(recipe.path, route))


def _recipe(method: str, route: str) -> Recipe | None:
    said = RECIPES.get((method, route))
    if said is not None:
        return said if said.path else Recipe(ADDRESSES[route], said.options)
    for row in matrix.MATRIX:
        if (row.method, row.route) == (method, route):
            return Recipe(row.path, row.request)
    if route in matrix.TOKENS and method == "POST":
        return Recipe(matrix.TOKENS[route][0], {"json": matrix.TOKENS[route][1]})
    sent = audited.RECIPES.get((method, route))
    if sent is not None and sent.path and sent.request is not None:
        return Recipe(sent.path, sent.request)
    return Recipe(ADDRESSES[route]) if method == "GET" and route in ADDRESSES else None


def _spots(path: str, route: str) -> tuple[Spot, ...]:
    """Return where ids stand; a word of a few that an address takes, such as the admin's sections, is none."""
    try:
        match = resolve(path.partition("?")[0])
        reverse(route, kwargs=match.kwargs)
    except (Resolver404, NoReverseMatch) as err:
        raise AssertionError(f"{path} is no address of {route}. {WAY_OUT}") from err
    spots = tuple(Spot(name, value) for name, value in match.kwargs.items())
    return tuple(spot for spot in spots if _is_free(route, match.kwargs, spot))


def _is_free(route: str, kwargs: Mapping[str, Any], spot: Spot) -> bool:
    try:
        reverse(route, kwargs={**kwargs, spot.name: other(spot, Ids("nobody"))})
    except NoReverseMatch:
        return False
    return True


def _protocols() -> Iterator[Call]:
    for row in matrix.PROTOCOLS:
        paths = [row.path]
        if "/models/sum" in row.path and "/repository/" not in row.path:
            paths += [row.path.replace("/models/sum", f"/models/sum{which}") for which in ("@champion", "/versions/1")]
        for path in paths:
            yield Call(row.method, row.route, path, row.request, lane_spots(path))
    for path in sorted(matrix.PUBLIC):
        yield Call("GET", "oip", path, {}, ())


def _protocol_routes() -> Iterator[tuple[str, str]]:
    from foretell.config.asgi import services
    from foretell.serving.composing import faces

    for face in faces(services):
        for route in getattr(face, "routes", ()):
            for method in route.methods.keys() - {"HEAD"}:
                yield method, route.pattern.pattern


def _rows_for(method: str, pattern: str) -> bool:
    return any(call.method == method and re.fullmatch(pattern, call.path) for call in calls() if call.route in LANE)


def _streams() -> Iterator[Call]:
    for path in ("sum", "sum@champion", "sum/versions/1"):
        where = f"/ws/v1/models/{path}/predict/"
        yield Call(STREAM, "stream", where, {}, lane_spots(where))
