"""Limits of the REST views, and the headers that tell of them: the same buckets and words as on the fast lane."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from foretell.accounts.limiting import ModelScope, claims_of, limiter
from foretell.accounts.permissions import Principal, principal_of
from foretell.limits import POLICY_HEADER, STATE_HEADER, Claim, Decision, Throttled, limit_header, policy_header

if TYPE_CHECKING:  # rest_framework.views imports this module, by the settings' name of it
    from rest_framework.views import APIView

API = "/api/"
NOTED = "_foretell_limits"


class Limited(BaseThrottle):
    """Takes one request from every limit of the caller, once it is sure that they may ask.

    A view whose requests take from a model's named limit has a `model_scope()`.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return True
        model_scope = getattr(view, "model_scope", None)
        take_from(request, principal_of(request), model_scope() if model_scope else None)
        return True


class LimitHeadersMiddleware:
    """Tells whoever is known how their limits stand, with every answer of the API, refusals included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.startswith(API):
            claims, decision = getattr(request, NOTED, None) or _looked_at(request)
            if decision is not None:
                response.headers[POLICY_HEADER] = policy_header(claims).decode()
                response.headers[STATE_HEADER] = limit_header(decision).decode()
        return response


def take_from(request: Request, principal: Principal, model_scope: ModelScope | None = None) -> None:
    """Take one request from every limit of the principal, and note for the headers how they stand.

    Raises
    ------
    Throttled
    """
    claims = claims_of(principal, model_scope)
    decision = limiter().take(claims)
    setattr(request._request, NOTED, (claims, decision))
    if decision is not None and not decision.allowed:
        raise Throttled(decision)


def _looked_at(request: Any) -> tuple[Sequence[Claim], Decision | None]:
    """Return how the limits stand where nothing was taken: a request that was refused before, by its method or by a role."""
    if not hasattr(request, "auth") or not request.user.is_authenticated:
        return (), None
    claims = claims_of(principal_of(request))
    return claims, limiter().take(claims, cost=0)
