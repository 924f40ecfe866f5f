"""What may be said of models, versions and aliases. What is allowed, services decide."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from foretell.accounts.permissions import model_reach, principal_of
from foretell.admin.forms import ServiceForm
from foretell.naming import CHAMPION
from foretell.registry.models import LogPayload, ModelVersion, RegisteredModel

MAX_NUMBER = 2**31 - 1
MAX_DESCRIPTION_CHARS = 20_000
LINES = forms.Textarea(attrs={"rows": 6, "cols": 90})


class DescriptionField(forms.CharField):
    """Markdown; browsers send lines with a carriage return, which nobody wrote."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Description"), required=False, strip=False, widget=LINES, max_length=MAX_DESCRIPTION_CHARS
        )

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class NewModelForm(ServiceForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    description = DescriptionField()


class ModelForm(ServiceForm):
    description = DescriptionField()
    archived = forms.BooleanField(label=_("Archived"), required=False, help_text=_("Out of use; nothing is deleted."))
    limit_scope = forms.ChoiceField(label=_("Named limit"), required=False)
    log_payload = forms.ChoiceField(label=_("What its log keeps"), choices=LogPayload.choices)
    redacted = forms.CharField(
        label=_("Inputs left out of the log"), required=False, widget=LINES, help_text=_("One name in each line."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model: RegisteredModel = self.instance
        scopes = sorted({*settings.LIMIT_SCOPES, *filter(None, [model.limit_scope])})
        self.fields["limit_scope"].choices = [("", "—"), *((scope, scope) for scope in scopes)]  # type: ignore[attr-defined]  # a ChoiceField's
        self.initial["archived"] = model.archived_at is not None
        self.initial["redacted"] = "\n".join(model.redacted_inputs)

    def clean_redacted(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["redacted"].splitlines() if line.strip()]


class VersionForm(ServiceForm):
    description = DescriptionField()


class PointingForm(ServiceForm):
    """Names a version by its number, as everywhere else."""

    number = forms.IntegerField(label=_("Version"), min_value=1, max_value=MAX_NUMBER)
    allow_signature_change = forms.BooleanField(
        label=_("Other inputs or outputs are meant"), required=False, help_text=_("Callers of the present version may be refused.")
    )  # fmt: skip

    def named(self) -> str:
        """Return the name of the model whose version it is."""
        return str(self.cleaned_data.get("model_name", ""))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        there = RegisteredModel.objects.within(model_reach(principal_of(self.request)))
        found = ModelVersion.objects.select_related("model").filter(
            model__in=there.filter(name=self.named()), number=cleaned["number"]
        )
        cleaned["version"] = found.first()
        if cleaned["version"] is None:
            self.add_error("number", _("There is no such version."))
        return cleaned


class AliasForm(PointingForm):
    """Carries the alias's tag, so that nobody undoes somebody else's move unseen."""

    etag = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(number=self.instance.version.number, etag=self.instance.etag)

    def named(self) -> str:
        return str(self.instance.model.name)


class NewAliasForm(PointingForm):
    model_name = forms.CharField(label=_("Model"), max_length=200)
    alias = forms.CharField(label=_("Alias"), max_length=200, initial=CHAMPION)
