"""Forms whose fields are written out, and which change nothing themselves: services do, and say what is wrong."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest

from foretell.errors import ForetellError
from foretell.problems import Fault, faults_of

if TYPE_CHECKING:
    Base = forms.ModelForm[Any]
else:
    Base = forms.ModelForm


class ServiceForm(Base):
    """Shows what a service refused, beside the field that it is about.

    refusal : of the attempt just made with what is in the form; set by `ServiceAdmin`, as is `request`.
    """

    refusal: ForetellError | None = None
    request: HttpRequest

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal is not None:
            for fault in faults_of(self.refusal) or [self._as_fault(self.refusal)]:
                attr = (fault["attr"] or "").partition(".")[0]
                self.add_error(attr if attr in self.fields else None, fault["detail"])
        return cleaned

    def _post_clean(self) -> None:
        """Leave the instance as it is stored: a service changes it, or nobody."""

    def _as_fault(self, refusal: ForetellError) -> Fault:
        return Fault(attr=None, code=refusal.code, detail=refusal.message)
