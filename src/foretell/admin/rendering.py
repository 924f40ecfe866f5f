"""How a form is shown, without Django's content types.

Security: they are rows of each schema, with other ids in each, which Django remembers for the whole process; public has none. Nothing
that the admin shows needs them.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class WithoutContentTypes(Base):
    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:  # fmt: skip
        """Show the form with what the templates ask for, as Django's own method does."""
        kept: Any = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        context |= {
            "add": add, "change": change, "opts": self.opts, "app_label": self.opts.app_label,
            "has_view_permission": self.has_view_permission(request, obj),
            "has_add_permission": self.has_add_permission(request),
            "has_change_permission": self.has_change_permission(request, obj),
            "has_delete_permission": self.has_delete_permission(request, obj),
            "has_editable_inline_admin_formsets": False, "has_file_field": False, "has_absolute_url": False,
            "form_url": add_preserved_filters(kept, form_url), "save_as": False, "save_on_top": False,
            "to_field_var": TO_FIELD_VAR, "is_popup_var": IS_POPUP_VAR,
        }  # fmt: skip
        setattr(request, "current_app", self.admin_site.name)  # noqa: B010  Django's name for it
        return TemplateResponse(request, "admin/change_form.html", context)
