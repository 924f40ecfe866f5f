"""At the door of each request: where it comes from; and behind it: that something was refused."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from foretell.addresses import trusted_address
from foretell.audit.actors import Actor, Face, acting
from foretell.audit.refusals import attempts, write_down
from foretell.core.request_ids import request_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ActorMiddleware:
    """Says where a request comes in; who it is, authentication says. Inside the tenant's, since what is refused is its business."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(stranger(request)), attempts():
            response = self.get_response(request)
            write_down(request, response.status_code)
        return response


def stranger(request: HttpRequest) -> Actor:
    """Return all that is known of who acts before they said who they are."""
    peer, forwarded_for = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    address = trusted_address(peer, forwarded_for, proxies=settings.TRUSTED_PROXIES)
    return Actor(face=_face(request.path_info), address=address, request_id=request_id())


def _face(path: str) -> Face:
    if path.startswith("/api/"):
        return Face.REST
    return Face.ADMIN if path.startswith("/admin/") else Face.PAGE
