"""What predictions are answered as, beside the browsable page."""

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer, JSONRenderer


class CSVRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return bytes(data)


class AnswerRenderer(JSONRenderer):
    """JSON; an answer that is bytes already goes out as it is, so that it is the one that was logged."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if not isinstance(data, bytes):
            return super().render(data, accepted_media_type, renderer_context)
        indent = self.get_indent(accepted_media_type or "", renderer_context or {})
        return msgspec.json.format(data, indent=indent) if indent else data
