"""Entity tags of single resources, and the conditions that requests make by them (RFC 9110 §13).

A tag is made of what is shown, so that anything that would be shown otherwise has another one.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foretell.errors import ForetellError

READS = ("GET", "HEAD")


class PreconditionFailed(ForetellError):
    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__("It was changed since you read it. Read it again, and decide anew.")


class PreconditionRequired(ForetellError):
    code = "precondition_required"

    def __init__(self) -> None:
        super().__init__(
            "This replaces what is there. Send If-Match with the ETag of your last GET, so that you undo nobody's change unseen; "
            "`If-Match: *` where that does not matter."
        )


def etag_of(shown: Any) -> str:
    """Return the strong tag of a representation, as it is before it is rendered."""
    digest = hashlib.sha256(JSONRenderer().render(shown)).digest()
    return f'"{base64.urlsafe_b64encode(digest[:18]).decode()}"'


def tagged(
    request: Request,
    shown: Any,
    *,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    etag: str | None = None,
) -> Response:
    """Answer with a representation and its tag; 304 without it, where the client has it already."""
    etag = etag or etag_of(shown)
    all_headers = {**(headers or {}), "ETag": etag}
    if request.method in READS and is_html(request):  # the page has more on it than what is tagged
        return Response(shown, status=status, headers=headers)
    if request.method in READS and is_known(request, etag):
        return Response(status=304, headers=all_headers)
    return Response(shown, status=status, headers=all_headers)


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has it, by `If-None-Match`; there, weak tags are as good as strong ones."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in (tag.removeprefix("W/") for tag in known)


def check_match(request: Request, shown: Any, *, is_required: bool = False) -> None:
    """Hold a change to the conditions that came with it. Race condition: call it with the row locked, and read after that.

    Raises
    ------
    PreconditionFailed
        where `If-Match` names another representation than the one at hand, or `If-None-Match` names this one.
    PreconditionRequired
        where one is needed and none was said; the browsable page's forms cannot say one.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None and is_required and not is_html(request):
        raise PreconditionRequired
    etag = etag_of(shown)
    if wanted is not None and {"*", etag}.isdisjoint(parse_etags(wanted)):
        raise PreconditionFailed
    if "If-None-Match" in request.headers and is_known(request, etag):
        raise PreconditionFailed


def check_absent(request: Request) -> None:
    """Hold the making of something to its conditions: `If-Match` speaks of what is there, and nothing is."""
    if "If-Match" in request.headers:
        raise PreconditionFailed


def is_html(request: Request) -> bool:
    """Whether the browsable page is asked for."""
    return getattr(request.accepted_renderer, "format", "") == "api"
