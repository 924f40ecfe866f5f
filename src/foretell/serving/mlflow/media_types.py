"""The content type of a body, held to what MLflow's server takes, and refused in its own words."""

from foretell.errors import ForetellError
from foretell.serving.mlflow.requests import CSV, JSON, PARQUET

CONTENT_TYPES = [CSV, JSON, PARQUET]


class UnknownContentType(ForetellError):
    """What it says is sent as plain text, as MLflow does."""

    code = "unsupported_media_type"


def media_type_of(header: str | None) -> str:
    """Return which of the three a body is; one that does not say is JSON.

    Raises
    ------
    UnknownContentType
    """
    if not header or not header.strip():
        return JSON
    kind, *parts = (part.strip() for part in header.split(";"))
    parameters = {
        key.strip().lower(): value.strip().strip('"')
        for key, _, value in (part.partition("=") for part in parts if part)
    }
    if parameters.pop("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnknownContentType("The scoring server only supports UTF-8")
    if parameters:
        raise UnknownContentType(f"Unrecognized content type parameters: {', '.join(sorted(parameters))[:200]}.")
    if kind.lower() not in CONTENT_TYPES:
        raise UnknownContentType(
            f"This predictor only supports the following content types: Types: {CONTENT_TYPES}. Got '{header[:200]}'."
        )
    return kind.lower()
