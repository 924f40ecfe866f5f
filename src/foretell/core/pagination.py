"""Page numbers, for lists that people browse; cursors, for lists that grow while they are read."""

from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request


class PageNumbers(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class NewestFirst(CursorPagination):
    """Rows whose id is a UUIDv7: nothing is shown twice, or left out, when rows are added meanwhile."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Any:
        """Read the cursor; one that was made up is not found, and does not reach the database."""
        cursor = super().decode_cursor(request)
        try:
            _ = cursor and cursor.position is not None and UUID(str(cursor.position))
        except ValueError:
            raise NotFound(self.invalid_cursor_message) from None
        return cursor
