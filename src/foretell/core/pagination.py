"""Page numbers, for lists that people browse; cursors, for lists that grow while they are read."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.request import Request

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


class PageNumbers(PageNumberPagination):
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def get_page_size(self, request: Request) -> int | None:
        return page_size_of(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return bounded(super().get_schema_operation_parameters(view))


class NewestFirst(CursorPagination):
    """Rows whose id is a UUIDv7: nothing is shown twice, or left out, when rows are added meanwhile."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    ordering = "-id"

    def get_page_size(self, request: Request) -> int | None:
        return page_size_of(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return bounded(super().get_schema_operation_parameters(view))

    def decode_cursor(self, request: Request) -> Any:
        """Read the cursor; one that was made up is not found, and does not reach the database."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not self.is_place(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_place(self, text: str) -> bool:
        """Whether a row could have this where the rows are ordered by it."""
        try:
            UUID(text)
        except ValueError:
            return False
        return True


class LastPositionFirst(NewestFirst):
    """Rows that are numbered in the order in which they were committed."""

    ordering = "-position"

    def is_place(self, text: str) -> bool:
        return text.isascii() and text.isdecimal() and len(text) <= 18


def check_pages(request: Request) -> None:
    """Hold what is said of pages to what may be said of them, where a file has all rows and no pages."""
    page_size_of(request)
    page = request.query_params.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) <= 18):
        raise NotFound(f"Found page {page!r:.40}, expected a whole number from 1.")


def bounded(parameters: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the API's description says of pages, with what they are held to."""
    bounds = {"page": {"minimum": 1}, "page_size": {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}}
    return [{**one, "schema": {**one["schema"], **bounds.get(one["name"], {})}} for one in parameters]


def page_size_of(request: Request) -> int:
    """Return how many rows a page has; what cannot be is refused, not put right unseen."""
    asked = request.query_params.get("page_size")
    if asked is None:
        return PAGE_SIZE
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= MAX_PAGE_SIZE):
        raise ValidationError(
            {"page_size": [f"Found {asked!r:.40}, expected a whole number from 1 to {MAX_PAGE_SIZE}."]}
        )
    return int(asked)
