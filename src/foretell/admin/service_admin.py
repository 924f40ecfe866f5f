"""An admin of one model whose every write is a service's. What has no service is only read."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from foretell.admin.forms import ServiceForm
from foretell.admin.lookups import allowed_lookups
from foretell.admin.rendering import WithoutContentTypes
from foretell.audit.chains import entries
from foretell.errors import ForetellError
from foretell.problems import status_of

TOLD_IN_FORM = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
SHOWN_OF_HISTORY = 100


class ServiceAdmin(WithoutContentTypes):
    """Security: fields are listed, never all of a model's; nothing but the listed filters can be asked about.

    shown : fields that are only read.
    written, added : fields of `form` and of `add_form`, for what `change` and `create` take.
    writes : which of add, change and delete there are.
    words : what people call one, and many; "" where Django's words will do.
    """

    words: ClassVar[tuple[str, str]] = ("", "")

    shown: ClassVar[Sequence[str]] = ()
    written: ClassVar[Sequence[str]] = ()
    added: ClassVar[Sequence[str]] = ()
    writes: ClassVar[frozenset[str]] = frozenset()
    add_form: type[ServiceForm] = ServiceForm
    form = ServiceForm
    removal: ClassVar[Any] = ""  # what deleting one means, in words
    has_history: ClassVar[bool] = True
    actions: Any = ()
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    delete_confirmation_template = "foretell_admin/removal.html"

    def __init__(self, model: Any, admin_site: Any) -> None:
        """Name things as people do. In the models' own Meta, it would be a migration of each schema that changes nothing there."""
        super().__init__(model, admin_site)
        if self.words[0]:
            self.opts.verbose_name, self.opts.verbose_name_plural = self.words

    # --- what a subclass says ---

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, request: HttpRequest, obj: Any, fields: dict[str, Any]) -> Any:
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError

    def audit_target(self, obj: Any) -> tuple[str, str]:
        """Return what the audit calls an object, where such things have a history."""
        raise NotImplementedError

    def may_see(self, request: HttpRequest) -> bool:
        return True

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        """Whether this one may be changed and removed, by who asks."""
        return True

    # --- who may ---

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request) and self.may_see(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" in self.writes and self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may("change", request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may("delete", request, obj)

    def _may(self, what: str, request: HttpRequest, obj: Any) -> bool:
        may_ask = what in self.writes and self.has_view_permission(request)
        return may_ask and (obj is None or self.may_write(request, obj))

    # --- what may be asked ---

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether the list may be narrowed by this. Security: by any column, stored digests could be guessed letter by letter."""
        assert request is not None  # noqa: S101  Django passes it
        return lookup in allowed_lookups(self.get_list_filter(request))

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return bool(to_field == self.opts.pk.name)

    def get_urls(self) -> list[Any]:
        """Return addresses for what there is, and for nothing else."""
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        gone = {f"{info}_{verb}" for verb in ("add", "delete") if verb not in self.writes}
        gone |= set() if self.has_history else {f"{info}_history"}
        return [pattern for pattern in super().get_urls() if pattern.name and pattern.name not in gone]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the object. Not there, and not theirs, is the same page as everywhere else."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    # --- forms ---

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return list(self.added)
        written = self.written_of(obj) if self.has_change_permission(request, obj) else ()
        return [*written, *(name for name in self.shown if name not in written)]

    def written_of(self, obj: Any) -> Sequence[str]:
        return self.written

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else [name for name in self.shown if name not in self.written_of(obj)]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        base = self.form if change else self.add_form
        made = super().get_form(request, obj, change, **{**kwargs, "form": base})
        return type(made.__name__, (made,), {"request": request, "refusal": getattr(request, "_refusal", None)})

    # --- writing: one call of a service, in the one transaction that Django opens ---

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show the form, or send it; where a service refuses, its transaction is undone, and the form shown again with why."""
        context = {**(extra_context or {}), "has_history": self.has_history and self.may_read_history(request)}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except ForetellError as err:
            if request.method != "POST" or status_of(err) not in TOLD_IN_FORM or hasattr(request, "_refusal"):
                raise
            setattr(request, "_refusal", err)  # noqa: B010  read by get_form; HttpRequest has no such field
            return super().changeform_view(request, object_id, form_url, context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if change:
            return self.change(request, form.instance, form.cleaned_data)
        return self.create(request, form.cleaned_data)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save nothing: the service did."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save nothing: there are no inlines."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the object alone: what goes with it, the service knows."""
        return [str(obj) for obj in objs], {}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, {**(extra_context or {}), "removal": self.removal})
        except ForetellError as err:
            if status_of(err) not in TOLD_IN_FORM:
                raise
            self.message_user(request, err.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        self.message_user(request, _("Done: %(name)s.") % {"name": obj_display}, messages.SUCCESS)
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist", current_app=self.admin_site.name)
        )

    # --- the audit is the log ---

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing beside the audit."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing beside the audit."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write nothing beside the audit."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show what the audit says of one object, the newest first."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, obj) or not self.may_read_history(request):
            raise Http404
        kind, identifier = self.audit_target(obj)
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": obj},
            "entries": list(entries().about(kind, [identifier]).order_by("-position")[:SHOWN_OF_HISTORY]),
            "module_name": str(self.opts.verbose_name_plural),
            "object": obj, "opts": self.opts,
        }  # fmt: skip
        return TemplateResponse(request, "foretell_admin/history.html", context)

    def may_read_history(self, request: HttpRequest) -> bool:
        return True
