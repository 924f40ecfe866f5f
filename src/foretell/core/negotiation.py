"""Which format is answered: `?format=` decides where it is given, `Accept` else. A format that is not there is 406."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings


class Negotiation(DefaultContentNegotiation):
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
