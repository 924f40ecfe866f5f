"""The limits of a plan or of a tenant, as they are typed: see `tenants.limits`."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from foretell.admin.forms import ServiceForm
from foretell.tenants.limits import DEFAULT, QUOTAS, RATES, read_limits

NAMES = (*RATES, *QUOTAS)
RATE = _("Such as 100/s or 600/min; off: none; empty: what the installation says.")
QUOTA = _("A whole number; empty: no end.")


class LimitsForm(ServiceForm):
    tenant = forms.CharField(label=_("Limit of the tenant"), required=False, max_length=40, help_text=RATE)
    user = forms.CharField(label=_("Limit of each person"), required=False, max_length=40, help_text=RATE)
    key = forms.CharField(label=_("Limit of each key"), required=False, max_length=40, help_text=RATE)
    requests_per_month = forms.CharField(label=_("Requests in a month"), required=False, max_length=20, help_text=QUOTA)
    rows_per_month = forms.CharField(label=_("Rows in a month"), required=False, max_length=20, help_text=QUOTA)

    def start_with(self, limits: Mapping[str, Any]) -> None:
        self.initial.update({name: str(limits[name]) for name in NAMES if name in limits})


def changes_in(fields: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, str | int | None]:
    """Return what of the limits was changed, as the services take it.

    Raises
    ------
    InvalidLimit
    """
    typed = {name: fields[name].strip() for name in NAMES}
    changed = {name: text or DEFAULT for name, text in typed.items() if text != str(limits.get(name, ""))}
    return read_limits(changed)
