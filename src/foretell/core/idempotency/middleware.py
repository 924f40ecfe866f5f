"""Keeps the answer to a request that came with a key, when it is made."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from foretell.core.idempotency import claiming, sealing
from foretell.core.idempotency.claiming import Claim
from foretell.core.idempotency.once import noted_claim

MAX_KEPT_BYTES = 4 << 20


class IdempotencyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (claimed := noted_claim(request)) is not None:
            _conclude(claimed, response)
        return response


def _conclude(claimed: Claim, response: HttpResponseBase) -> None:
    """Keep what was done; a refusal changed nothing, so that the same key may be tried again."""
    is_kept = isinstance(response, HttpResponse) and response.status_code < 400
    if not isinstance(response, HttpResponse) or not is_kept or len(response.content) > MAX_KEPT_BYTES:
        claiming.release(claimed)
        return
    content = sealing.sealed(response.headers, response.content, place=claimed.place, key=claimed.key)
    claiming.keep(claimed, status=response.status_code, sealed=content)
