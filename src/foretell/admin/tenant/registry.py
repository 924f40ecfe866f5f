"""Models, versions and aliases: described, archived, promoted and deleted as over REST."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foretell.accounts.permissions import (
    Action,
    is_allowed,
    may_change_model,
    may_change_version,
    may_read_audit,
    model_reach,
    principal_of,
)
from foretell.admin.filters import Since
from foretell.admin.service_admin import ServiceAdmin
from foretell.admin.tenant.registry_forms import AliasForm, ModelForm, NewAliasForm, NewModelForm, VersionForm
from foretell.refusals import NotAllowed
from foretell.registry import aliases, catalogue, describing, promotions
from foretell.registry.models import Alias, ModelVersion, RegisteredModel


class RegistryAdmin(ServiceAdmin):
    def may_read_history(self, request: HttpRequest) -> bool:
        return may_read_audit(principal_of(request))


class ModelAdmin(RegistryAdmin):
    words = ("model", "models")
    form, add_form = ModelForm, NewModelForm
    shown = (
        "name", "description", "tags", "archived_at", "limit_scope", "log_payload", "redacted_inputs", "created_by", "created_at",
        "updated_at",
    )  # fmt: skip
    written, added = ("description", "archived", "limit_scope", "log_payload", "redacted"), ("name", "description")
    writes = frozenset({"add", "change"})
    list_display = ("name", "created_by", "archived_at", "limit_scope", "log_payload", "created_at", "updated_at")
    list_filter = ("log_payload", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegisteredModel]:
        found = RegisteredModel.objects.within(model_reach(principal_of(request)))
        return found.select_related("created_by").order_by("name")

    def may_write(self, request: HttpRequest, obj: RegisteredModel) -> bool:
        return may_change_model(principal_of(request), model=obj.name, author_id=obj.created_by_id)

    def audit_target(self, obj: RegisteredModel) -> tuple[str, str]:
        return "model", obj.name

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> RegisteredModel:
        return catalogue.create_model(**fields, principal=principal_of(request))

    def change(self, request: HttpRequest, obj: RegisteredModel, fields: dict[str, Any]) -> RegisteredModel:
        fields["redacted_inputs"] = fields.pop("redacted")
        fields["archived"] = None if fields["archived"] == (obj.archived_at is not None) else fields["archived"]
        changed = {
            name: value
            for name, value in fields.items()
            if value is not None and (name == "archived" or value != getattr(obj, name))
        }
        if changed:
            catalogue.change_model(model=obj, principal=principal_of(request), now=timezone.now(), **changed)
        return obj


class VersionAdmin(RegistryAdmin):
    words = ("version", "versions")
    form = VersionForm
    shown = (
        "model", "number", "state", "reason", "runtime", "runtime_reason", "task", "size_bytes", "sha256", "description", "metrics", "tags",
        "lineage", "created_by", "created_at", "ready_at",
    )  # fmt: skip
    written = ("description",)
    writes = frozenset({"change", "delete"})
    removal = gettext_lazy("Its number is never used again, and what it predicted stays in the log.")
    list_display = ("__str__", "state", "runtime", "task", "size_bytes", "created_by", "created_at", "ready_at")
    list_filter = ("state", Since)
    search_fields = ("model__name", "=sha256")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        reach = model_reach(principal_of(request))
        found = ModelVersion.objects.filter(model__in=RegisteredModel.objects.within(reach))
        large = ("signature", "examples", "parity", "options", "uploads", "seal")
        return found.select_related("model", "created_by").defer(*large).order_by("-pk")

    def may_write(self, request: HttpRequest, obj: ModelVersion) -> bool:
        return may_change_version(principal_of(request), model=obj.model.name, author_id=obj.created_by_id)

    def audit_target(self, obj: ModelVersion) -> tuple[str, str]:
        return describing.target_of(obj)

    def change(self, request: HttpRequest, obj: ModelVersion, fields: dict[str, Any]) -> ModelVersion:
        if fields["description"] != obj.description:
            describing.describe_version(version=obj, principal=principal_of(request), changes=fields)
        return obj

    def remove(self, request: HttpRequest, obj: ModelVersion) -> None:
        describing.delete_version(version=obj, principal=principal_of(request))


class SinceMoved(Since):
    field = "updated_at"


class AliasAdmin(RegistryAdmin):
    """Moving one is a promotion: where the model asks for four eyes, a second person decides."""

    words = ("alias", "aliases")

    form, add_form = AliasForm, NewAliasForm
    shown = ("name", "model", "version", "task", "updated_at")
    written = ("number", "allow_signature_change", "etag")
    added = ("model_name", "alias", "number", "allow_signature_change")
    writes = frozenset({"add", "change", "delete"})
    removal = gettext_lazy("Whoever asks for this alias is told that there is none. Its history stays.")
    list_display = ("__str__", "model", "name", "version_number", "updated_at")
    list_filter = (SinceMoved,)
    search_fields = ("model__name", "=name")

    @admin.display(description=gettext_lazy("version"), ordering="version__number")
    def version_number(self, obj: Alias) -> int:
        return obj.version.number

    @admin.display(description=gettext_lazy("task"))
    def task(self, obj: Alias) -> str:
        return str(obj.version.task or "")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        reach = model_reach(principal_of(request))
        found = Alias.objects.filter(model__in=RegisteredModel.objects.within(reach))
        return found.select_related("model", "version", "version__model").order_by("model__name", "name")

    def may_write(self, request: HttpRequest, obj: Alias) -> bool:
        return _may_promote(request, obj.model.name)

    def audit_target(self, obj: Alias) -> tuple[str, str]:
        return "alias", f"{obj.model.name}@{obj.name}"

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Any:
        version: ModelVersion = fields["version"]
        return self._promoted(request, version, fields["alias"], fields, is_new=True)

    def change(self, request: HttpRequest, obj: Alias, fields: dict[str, Any]) -> Alias:
        moved = self._promoted(request, fields["version"], obj.name, fields, if_match=fields["etag"])
        return moved if isinstance(moved, Alias) else obj

    def remove(self, request: HttpRequest, obj: Alias) -> None:
        aliases.delete_alias(
            model=obj.model, alias=obj.name, by=principal_of(request).user, now=timezone.now(), if_match=obj.etag
        )

    def _promoted(
        self, request: HttpRequest, version: ModelVersion, alias: str, fields: dict[str, Any], **options: Any
    ) -> Any:
        if not _may_promote(request, version.model.name):
            raise NotAllowed
        made = promotions.promote(
            version=version, alias=alias, by=principal_of(request).user, now=timezone.now(),
            allow_signature_change=fields["allow_signature_change"], **options,
        )  # fmt: skip
        if not isinstance(made, Alias):
            waits = _("This model asks for four eyes: the promotion waits for a second person, and the alias stays.")
            self.message_user(request, waits, messages.WARNING)
        return made


def _may_promote(request: HttpRequest, model: str) -> bool:
    return is_allowed(principal_of(request), Action.PROMOTE, model=model)
