"""Answers are of who asked: no cache on their way keeps them for somebody else, and a browser asks again before it shows one."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from foretell.credentials import PRIVATE


class PrivateAnswersMiddleware:
    """Says so of each answer that says nothing else of caches.

    Security: a shared cache knows of `Authorization` that an answer is somebody's, of `X-API-Key` it does not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", PRIVATE)
        return response
