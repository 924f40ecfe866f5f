from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from foretell.accounts.identity_providers.models import JOINING_ROLES, SLUG, IdentityProvider
from foretell.web.settings_forms import PLAIN


class ProviderForm(forms.Form):
    """An identity provider as its owner types it in; its secret is never shown."""

    slug = forms.CharField(
        label=_("Short name"), max_length=40, validators=[SLUG], help_text=_("For addresses, such as google."),
        widget=forms.TextInput(attrs=PLAIN),
    )  # fmt: skip
    name = forms.CharField(label=_("Name on the button"), max_length=40)
    issuer = forms.CharField(
        label=_("Issuer"), max_length=500, help_text=_("Such as https://accounts.google.com"), widget=forms.URLInput(attrs=PLAIN)
    )  # fmt: skip
    client_id = forms.CharField(label=_("Client id"), max_length=191, widget=forms.TextInput(attrs=PLAIN))
    secret = forms.CharField(
        label=_("Client secret"), max_length=500, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    email_domains = forms.CharField(
        label=_("E-mail domains"), required=False, widget=forms.TextInput(attrs=PLAIN),
        help_text=_("Whose addresses it may speak for, with commas between; empty: any."),
    )  # fmt: skip
    joins_as = forms.ChoiceField(
        label=_("Who is new becomes"), required=False, choices=[("", _("nobody: invitations only, or open sign-up")), *JOINING_ROLES]
    )  # fmt: skip

    def __init__(self, *args: Any, provider: IdentityProvider | None = None, **kwargs: Any) -> None:
        if provider is not None:
            kwargs["initial"] = {
                "slug": provider.slug, "name": provider.name, "issuer": provider.issuer, "client_id": provider.client_id,
                "email_domains": ", ".join(provider.email_domains), "joins_as": provider.joins_as,
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        if provider is not None:
            self.fields["slug"].disabled = True
            self.fields["secret"].required = False
            self.fields["secret"].help_text = _("Empty: as it is.")

    def clean_email_domains(self) -> list[str]:
        return [name for name in self.cleaned_data["email_domains"].replace(",", " ").split() if name]
