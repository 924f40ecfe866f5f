"""Bodies, read strictly: what DRF's own parsers would let through, or break on, is refused with the place of the fault."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import JSONRenderer

from foretell.problems import Fault
from foretell.registry.errors import InvalidPush

_TOO_LARGE = Fault(attr="metadata", code="too_large", detail="The text beside the files is too large to be read.")
_TOO_MANY = Fault(
    attr=None, code="too_many", detail="The body has too many parts; expected artifact, sample and metadata."
)


class PushParser(MultiPartParser):
    """Multipart; a body beyond Django's limits is a fault of the sender's, not of ours."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RequestDataTooBig as err:
            raise InvalidPush([_TOO_LARGE]) from err
        except SuspiciousOperation as err:
            raise InvalidPush([_TOO_MANY]) from err


class _BytesParser(BaseParser):
    """Hands the body on as it came: what it means is the signature's business, not DRF's."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


class JSONBytesParser(_BytesParser):
    media_type = "application/json"
    renderer_class = JSONRenderer  # of the browsable API's example


class CSVBytesParser(_BytesParser):
    media_type = "text/csv"
