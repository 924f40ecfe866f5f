"""What there is below `/api/v1/`, read from the URLconf itself: a new list is in the index as soon as it has an address."""

from collections.abc import Iterator
from typing import Any

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from foretell.accounts.permissions import Action
from foretell.core.etags import tagged
from foretell.core.openapi.headers import IF_NONE_MATCH

ROOT = "api/v1/"


class IndexSerializer(serializers.Serializer[Any]):
    """Names with addresses; they are those of this installation."""


class IndexView(generics.GenericAPIView[Any]):
    """All that is here: follow a link. What is below a model is linked from the model."""

    required_actions = {"GET": Action.IDENTIFY}
    serializer_class = IndexSerializer

    @extend_schema(
        operation_id="index", parameters=[IF_NONE_MATCH], responses={(200, "application/json"): {"type": "object"}}
    )
    def get(self, request: Request) -> Response:
        return tagged(request, dict(sorted(_links(request))))

    def get_view_name(self) -> str:
        return "Foretell"


def _links(request: Request) -> Iterator[tuple[str, str]]:
    for route, name in _routes(get_resolver().url_patterns):
        key = route.removeprefix(ROOT).rstrip("/")
        if route.startswith(ROOT) and key and "<" not in key and "/" not in key:
            try:
                yield key, reverse(name, request=request)
            except NoReverseMatch:
                continue


def _routes(patterns: Any, prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str]]:
    """Yield address and name of each route that is read."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _routes(pattern.url_patterns, route, inner)
        elif isinstance(pattern, URLPattern) and pattern.name and _is_read(pattern):
            yield route, f"{namespace}{pattern.name}"


def _is_read(pattern: URLPattern) -> bool:
    view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
    return "GET" in getattr(view, "required_actions", {})
