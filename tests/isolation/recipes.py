"""How each route is called: the URLconf's, those of the lane's protocols, and the streams. One without a recipe fails.

What the matrix of permissions asks, and what the audit's recipes send, is asked here as well; so a new route needs no line here once it
has its row there. What is called in another way has a line in `RECIPES`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, Resolver404, get_resolver, resolve, reverse

from tests import test_permissions as matrix
from tests.admin import addresses
from tests.audit import test_every_change as audited
from tests.isolation.asking import STREAM
from tests.isolation.twins import Ids

SAFE = ("GET", "HEAD", "OPTIONS")
WAY_OUT = (
    "Say how it is called: with a Row in MATRIX of tests/test_permissions.py, or, for what is called in another way, with a line in RECIPES "
    "of tests/isolation/recipes.py, such as\n"
    '    ("POST", "accounts:keys"): json("/api/v1/keys/", name="k", scopes=["predict"]),'
)


@dataclass(frozen=True)
class Recipe:
    """An address, with ids that both twins have (tests/isolation/twins.py), and what is sent there: httpx's json, data, files, content."""

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)


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
        kwargs = {spot.name: _of(spot, ids) if spot.name in names else spot.value for spot in self.spots}
        if self.route in LANE:
            return LANE[self.route](self, kwargs)
        path, mark, query = self.path.partition("?")
        return reverse(self.route, kwargs={**resolve(path).kwargs, **kwargs}) + mark + query


def json(path: str = "", **fields: Any) -> Recipe:
    return Recipe(path, {"json": fields})


def form(path: str = "", **fields: Any) -> Recipe:
    """Say what a page's form sends; without a path, to where the matrix of permissions has the page."""
    return Recipe(path, {"data": fields})


NEWCOMER = {"username": "newcomer", "password": "a long enough passphrase"}
CODE = {"code": "000000"}
# What neither the matrix of permissions nor the audit's recipes say.
RECIPES: dict[tuple[str, str], Recipe] = {
    ("POST", "accounts:invitation-accept"): json(token="a:b:c", **NEWCOMER),
    ("POST", "web:model"): form(**{"input:a": "1", "input:b": "2"}),
    ("POST", "web:login"): form(username="bob", password="wrong"),
    ("POST", "web:logout"): form(),
    ("POST", "web:invitation"): form(**NEWCOMER),
    ("POST", "account_login"): form(login="bob", password="wrong"),
    ("POST", "account_logout"): form(),
    ("GET", "account_reauthenticate"): Recipe("/accounts/reauthenticate/"),
    ("POST", "account_reauthenticate"): form("/accounts/reauthenticate/", password="wrong"),
    ("POST", "mfa_reauthenticate"): form(**CODE),
    ("POST", "mfa_reauthenticate_webauthn"): form(credential="{}"),
    ("POST", "mfa_authenticate"): form(**CODE),
    ("POST", "mfa_give_up"): form(),
    ("POST", "mfa_activate_totp"): form(**CODE),
    ("POST", "mfa_deactivate_totp"): form(),
    ("POST", "mfa_generate_recovery_codes"): form(),
    ("POST", "mfa_add_webauthn"): form(name="k", credential="{}"),
    ("POST", "mfa_edit_webauthn"): form(name="k"),
    ("POST", "mfa_remove_webauthn"): form(),
    ("POST", "mfa_login_webauthn"): form(credential="{}"),
    ("POST", "headless:login"): json(username="bob", password="wrong"),
    ("POST", "headless:signup"): json(email="new@x.example", **NEWCOMER),
    ("POST", "headless:verify-email"): json(key="ABCDEF"),
    ("POST", "headless:resend-code"): json(),
    ("POST", "headless:request-reset"): json(email="new@x.example"),
    ("POST", "headless:reset-password"): json(key="0-made-up", password="a long enough passphrase"),
    ("POST", "headless:reauthenticate"): json(password="wrong"),
    ("POST", "headless:change-password"): json(current_password="wrong", new_password="a long enough passphrase"),
    ("POST", "web:session-end"): form(),
    ("POST", "headless:mfa-authenticate"): json(**CODE),
    ("POST", "headless:mfa-reauthenticate"): json(**CODE),
    ("POST", "headless:passkey-authenticate"): json(credential={"id": "k"}),
    ("POST", "headless:passkey-reauthenticate"): json(credential={"id": "k"}),
    ("POST", "headless:passkey-login"): json(credential={"id": "k"}),
    ("POST", "headless:totp"): json(**CODE),
    ("POST", "headless:recovery-codes"): json(),
    ("POST", "headless:passkeys"): json(name="k", credential={"id": "k"}),
    ("PUT", "headless:passkeys"): json(id=1, name="k"),
    ("DELETE", "headless:passkeys"): json(authenticators=[1]),
    ("DELETE", "headless:totp"): json(),
    ("DELETE", "headless:session"): json(),
    ("DELETE", "headless:sessions"): json(sessions=[1]),
    ("GET", "headless:reset-password"): Recipe("", {"headers": {"X-Password-Reset-Key": "0-made-up"}}),
    ("POST", "web:identity-provider"): form(name="k", issuer="https://id.example", client_id="k", joins_as=""),
    ("POST", "identity_disconnect"): form(),
    ("POST", "openid_connect_login"): form(),
    ("POST", "openid_connect_callback"): form(),
    ("POST", "account_signup"): form(email="new@x.example", **NEWCOMER),
    ("POST", "account_email_verification_sent"): form(code="ABCDEF"),
    ("POST", "account_reset_password"): form(email="new@x.example"),
    ("POST", "account_reset_password_from_key"): form(
        password1="a long enough passphrase", password2="a long enough passphrase"
    ),
} | {("POST", route): form(**change.fields) for route, change in addresses.CHANGES.items()}
#: Where the matrix of permissions has what it holds to its door alone.
ADDRESSES: dict[str, str] = {
    **matrix.PAGES, **matrix.STEPS, **matrix.BY_LINK, **matrix.OPEN_TO_ALL, **matrix.POST_ONLY, **matrix.COMING,
    **{route: path for route, (_, path, _) in matrix.FLOWS.items()},
}  # fmt: skip


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
        reverse(route, kwargs={**kwargs, spot.name: _of(spot, Ids("nobody"))})
    except NoReverseMatch:
        return False
    return True


def _of(spot: Spot, ids: Ids) -> Any:
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


def _protocols() -> Iterator[Call]:
    for row in matrix.PROTOCOLS:
        paths = [row.path]
        if "/models/sum" in row.path and "/repository/" not in row.path:
            paths += [row.path.replace("/models/sum", f"/models/sum{which}") for which in ("@champion", "/versions/1")]
        for path in paths:
            yield Call(row.method, row.route, path, row.request, _lane_spots(path))
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
        yield Call(STREAM, "stream", where, {}, _lane_spots(where))


def _lane_spots(path: str) -> tuple[Spot, ...]:
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
