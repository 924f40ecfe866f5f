"""Which format is answered: `?format=` decides where it is given, `Accept` else. A format that is not there is 406.

And which is read: a body that says to be compressed is 415, since it would be read as something that it is not.
"""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings


class PlainBodies(DefaultContentNegotiation):
    """Reads bodies as they came, and no compressed ones."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        encoding = request.headers.get("Content-Encoding", "").strip()
        if encoding.lower() not in ("", "identity"):
            raise UnsupportedMediaType(
                encoding, f"Found Content-Encoding {encoding[:40]!r}; expected a body that is not compressed."
            )
        return super().select_parser(request, parsers)


class Negotiation(PlainBodies):
    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        asked = request.query_params.get(str(api_settings.URL_FORMAT_OVERRIDE))
        if not asked:
            return super().select_renderer(request, renderers, format_suffix)
        by_format = {str(renderer.format): renderer for renderer in renderers}
        if asked in by_format:
            return by_format[asked], by_format[asked].media_type
        known = ", ".join(by_format)
        raise NotAcceptable(f"There is no format {asked[:40]!r} here. Expected one of {known}.")
