"""Headers of conditional requests and of repeated ones, as the document shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from foretell.core.idempotency.keys import HEADER, MAX_CHARS

ETAGS: dict[str, Any] = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*")$'}
_CHANGED = "The ETag of your last GET, or `*`: 412 where it was changed since then"


def _header(name: str, description: str, schema: dict[str, Any], *, is_required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, required=is_required, description=description)


IF_NONE_MATCH = _header("If-None-Match", "The ETag that you have: 304 where it is still the same.", {"type": "string"})
IF_MATCH = _header("If-Match", f"{_CHANGED}.", ETAGS)
#: Where something may be there already: then it needs the header.
IF_MATCH_WHERE_THERE = _header("If-Match", f"{_CHANGED}, 428 where it is needed and not there.", ETAGS)
IF_MATCH_NEEDED = _header("If-Match", f"{_CHANGED}, 428 without it.", ETAGS, is_required=True)
IDEMPOTENCY_KEY = _header(
    HEADER,
    "The same POST again, with the same key, changes nothing twice: it gets the first one's answer, for 24 hours.",
    {"type": "string", "maxLength": MAX_CHARS, "pattern": "^[!-~]([ -~]*[!-~])?$"},
)
