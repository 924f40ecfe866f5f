"""How views and pages ask `permissions.py`: a DRF permission class and a decorator. They decide nothing themselves."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from foretell.accounts.acting import announce, identify_caller
from foretell.accounts.permissions import Action, is_allowed, is_visible, principal_of
from foretell.refusals import ModelNotFound

if TYPE_CHECKING:  # rest_framework.views imports this module, by the settings' name of it
    from rest_framework.views import APIView

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class Allowed(BasePermission):
    """Reads `required_actions` of the view: for each method, what it does. A view without it lets nobody in.

    Where the address names a model (`name`), the action is asked for that model; one outside the key's list is not there.
    """

    message = "Your role, or the scopes of your key, do not include this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        actions: Mapping[str, Action] = getattr(view, "required_actions", {})
        action = _action(request.method or "", actions)
        identify_caller(request)
        announce(request, action, view.kwargs)
        principal, model = principal_of(request), view.kwargs.get("name")
        if model is not None and not is_visible(principal, model):
            raise ModelNotFound
        return is_allowed(principal, action, model=model)


def requires(action: Action) -> Callable[[Page[P]], Page[P]]:
    """Guard a page: sign in first; then the role decides. Where the address names a model, for that model."""

    def decorate(page: Page[P]) -> Page[P]:
        @wraps(page)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            identify_caller(request)
            announce(request, action, kwargs)
            principal, model = principal_of(request), _text(kwargs.get("name"))
            if model is not None and not is_visible(principal, model):
                raise Http404
            if not is_allowed(principal, action, model=model):
                raise PermissionDenied
            return page(request, *args, **kwargs)

        return cast("Page[P]", login_required(guarded))

    return decorate


def _action(method: str, actions: Mapping[str, Action]) -> Action:
    if method == "OPTIONS":
        return Action.IDENTIFY
    if method == "HEAD":
        method = "GET"
    if method not in actions:
        raise MethodNotAllowed(method)
    return actions[method]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
