from typing import Any

from rest_framework.metadata import SimpleMetadata


class Metadata(SimpleMetadata):
    """What OPTIONS tells: what the address is for, what it reads and writes. What goes into a body is in the OpenAPI document."""

    def determine_actions(self, request: Any, view: Any) -> Any:
        """Return none: DRF's own would look for the object, by a lookup that our views do not have."""
        return {}
