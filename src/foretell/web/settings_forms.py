"""The forms of the pages below /settings/, of a model's access, and of coming by invitation. What is allowed, services decide."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from foretell.accounts.api_keys import MAX_GRACE, MAX_LIFETIME
from foretell.accounts.flows.forms import EmailField, NewPasswordField
from foretell.accounts.models import SignUp
from foretell.accounts.permissions import GRANTABLE
from foretell.accounts.roles import Role, Scope
from foretell.accounts.writing import MAX_PASSWORD_CHARS, SERVICE_ROLE_CHOICES
from foretell.errors import ForetellError
from foretell.problems import Fault, faults_of, status_of

T = TypeVar("T")
TOLD_IN_FORM = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


def tried(form: forms.Form, call: Callable[[], T]) -> T | None:
    """Do it; where what was sent cannot be done, say so at the fields of the form, and return None."""
    try:
        return call()
    except ForetellError as err:
        if status_of(err) not in TOLD_IN_FORM:
            raise
        for fault in faults_of(err) or [Fault(attr=None, code=err.code, detail=err.message)]:
            attr = (fault["attr"] or "").partition(".")[0]
            form.add_error(attr if attr in form.fields else None, fault["detail"])
        return None


class UserNameField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, widget=forms.TextInput(attrs=PLAIN), **options)


class ConfirmForm(forms.Form):
    """Nothing but the button: what it does is said beside it."""


class KeyForm(forms.Form):
    name = forms.CharField(label=_("What it is for"), max_length=100)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.PREDICT]
    )
    models = forms.CharField(
        label=_("Models"), required=False, help_text=_("Names with commas between; empty: all that you may."),
        widget=forms.TextInput(attrs=PLAIN),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("Days until it ends"), required=False, min_value=1, max_value=MAX_LIFETIME.days, help_text=_("Empty: never.")
    )  # fmt: skip
    user = UserNameField(label=_("Whose"), required=False, help_text=_("A service account's name, say; empty: yours."))

    def __init__(self, *args: Any, manages: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not manages:
            del self.fields["user"]

    def clean_models(self) -> list[str] | None:
        return [name for name in self.cleaned_data["models"].replace(",", " ").split() if name] or None

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["days"]
        return now + timedelta(days=days) if days else None


class RollForm(forms.Form):
    grace_s = forms.IntegerField(
        label=_("Hours for which the old key stays valid"), initial=24, min_value=0,
        max_value=int(MAX_GRACE / timedelta(hours=1)),
    )  # fmt: skip

    def grace(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["grace_s"])


class ServiceAccountForm(forms.Form):
    username = UserNameField(label=_("Name"))
    role = forms.ChoiceField(label=_("Role"), choices=SERVICE_ROLE_CHOICES)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role, Role(role).label) for role in roles]  # type: ignore[attr-defined]  # a ChoiceField's


class ResponsibleForm(forms.Form):
    responsible = UserNameField(label=_("Who answers for it"))


class InvitationForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role, Role(role).label) for role in roles]  # type: ignore[attr-defined]  # a ChoiceField's


class ComingForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={**PLAIN, "autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password"), max_length=MAX_PASSWORD_CHARS, strip=False, help_text=_("At least twelve characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip


class DetailsForm(forms.Form):
    username = UserNameField(label=_("User name"))
    email = EmailField(help_text=_("A new address gets a code; the one of before is yours until you enter it."))
    current_password = forms.CharField(
        label=_("Password of now"), max_length=MAX_PASSWORD_CHARS, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip


class PasswordForm(forms.Form):
    current_password = forms.CharField(
        label=_("Password of now"), max_length=MAX_PASSWORD_CHARS, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip
    password = NewPasswordField(label=_("New password"))


class SignUpPolicyForm(forms.Form):
    mode = forms.ChoiceField(label=_("Who comes to this team"), choices=SignUp.choices, widget=forms.RadioSelect)


class LeaveForm(forms.Form):
    username = UserNameField(label=_("Your user name, to be sure"))


class TransferForm(forms.Form):
    to = UserNameField(label=_("Who will own the tenant"))
    is_sure = forms.BooleanField(label=_("I know that they alone can give it back to me."))


class PolicyForm(forms.Form):
    restricted = forms.BooleanField(
        label=_("Restricted"), required=False, help_text=_("Only who was granted something sees it; admins always do.")
    )
    four_eyes = forms.BooleanField(
        label=_("Four eyes"), required=False, help_text=_("A second person approves each promotion. An owner alone lifts it.")
    )  # fmt: skip


class GrantForm(forms.Form):
    user = UserNameField(label=_("Who"), help_text=_("A person's or a service account's name."))
    actions = forms.MultipleChoiceField(
        label=_("May"), choices=[(action.value, action.value) for action in GRANTABLE], widget=forms.CheckboxSelectMultiple
    )  # fmt: skip


class DecisionForm(forms.Form):
    verb = forms.ChoiceField(choices=[(verb, verb) for verb in ("approve", "decline", "withdraw")])
    comment = forms.CharField(max_length=1_000, required=False)
