"""Tells a browser that a page of another site may read what the API answers, where the tenant allows that site.

Security: never with credentials. Cookies are for this installation's own pages; another site's page shows a key or a token, and is
told no more than anybody who does.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from foretell.core.cross_origin.models import AllowedOrigin
from foretell.core.cross_origin.origins import ANY

API = "/api/"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-API-Key, X-Request-ID"
)
EXPOSED = (
    "Content-Disposition, Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "Server-Timing, Sunset, X-Request-ID"
)
PREFLIGHT_KEPT_S = 600


class CrossOriginMiddleware:
    """Comes behind the tenant's and before everything that asks who it is: a preflight has no credential."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        allowed = allowed_origin(request)
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = _preflight() if is_preflight and allowed else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response


def allowed_origin(request: HttpRequest) -> str | None:
    """Return what the answer says of the request's origin; None where it comes from no other site, or from one not allowed."""
    origin = request.headers.get("Origin", "")
    if not origin or origin == f"{request.scheme}://{request.get_host()}":
        return None
    found = set(AllowedOrigin.objects.filter(origin__in=[ANY, origin[:255]]).values_list("origin", flat=True))
    return origin if origin in found else ANY if ANY in found else None


def _preflight() -> HttpResponse:
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_KEPT_S),
    }
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=headers)
