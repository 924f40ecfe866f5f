"""Addresses of the API end with a slash; one without it is sent on by 308, which keeps the method and the body."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import is_valid_path


class SlashMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if "\0" in path:  # PostgreSQL's texts hold no NUL: nothing has such a name
            raise Http404
        if path.endswith("/") or is_valid_path(path) or not is_valid_path(f"{path}/"):
            return self.get_response(request)
        query = request.META.get("QUERY_STRING", "")
        response = HttpResponsePermanentRedirect(_escaped(f"{request.path}/") + (f"?{query}" if query else ""))
        response.status_code = 308
        return response


def _escaped(path: str) -> str:
    from django.utils.encoding import escape_uri_path
    from django.utils.http import escape_leading_slashes

    return escape_leading_slashes(escape_uri_path(path))
