"""What both admins share: Django's site without its own door. Who comes in was let in elsewhere, and the audit is the only log."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

View = Callable[..., Any]  # what Django calls a view; of responses, it says no more

#: Of Django's: they sign in beside our own door, show objects beside ours, or search without our limits.
DROPPED = frozenset({"login", "logout", "password_change", "password_change_done", "autocomplete", "view_on_site"})


class GuardedSite(AdminSite):
    """A subclass says in `admin_view` who is let in."""

    site_header = site_title = "Foretell"
    index_template = app_index_template = "foretell_admin/index.html"
    enable_nav_sidebar = False
    final_catch_all_view = False  # what is not there is answered as everywhere else

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def get_urls(self) -> list[Any]:
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in DROPPED]

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Return nothing: Django's own log is not kept. Each object's history is read from the audit."""
        return ()
