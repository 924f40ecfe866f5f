"""The pages of second factors, by the names that allauth.mfa knows them by."""

from typing import Any

from django.urls import path

from foretell.accounts.access import requires
from foretell.accounts.permissions import Action
from foretell.web.views import security as views


def _own(view: Any) -> Any:
    """Of one's own account: allauth's views ask again for a password or a factor where something changes."""
    return requires(Action.MANAGE_SELF)(view.as_view())


BELOW = "settings/security/"

urlpatterns = [
    path(BELOW, _own(views.Security), name="mfa_index"),
    path(f"{BELOW}app/", _own(views.ActivateApp), name="mfa_activate_totp"),
    path(f"{BELOW}app/off/", _own(views.DeactivateApp), name="mfa_deactivate_totp"),
    path(f"{BELOW}codes/", _own(views.RecoveryCodes), name="mfa_view_recovery_codes"),
    path(f"{BELOW}codes/new/", _own(views.NewRecoveryCodes), name="mfa_generate_recovery_codes"),
    path(f"{BELOW}passkeys/add/", _own(views.AddPasskey), name="mfa_add_webauthn"),
    path(f"{BELOW}passkeys/<int:pk>/", _own(views.RenamePasskey), name="mfa_edit_webauthn"),
    path(f"{BELOW}passkeys/<int:pk>/remove/", _own(views.RemovePasskey), name="mfa_remove_webauthn"),
    path(
        f"{BELOW}identities/<slug:slug>/remove/", requires(Action.MANAGE_SELF)(views.part), name="identity_disconnect"
    ),
    path("accounts/2fa/", views.SecondStep.as_view(), name="mfa_authenticate"),
    path("accounts/2fa/cancel/", views.give_up, name="mfa_give_up"),
    path("accounts/reauthenticate/code/", _own(views.AgainByCode), name="mfa_reauthenticate"),
    path("accounts/reauthenticate/passkey/", _own(views.AgainByPasskey), name="mfa_reauthenticate_webauthn"),
    path("accounts/passkey/", views.SignInByPasskey.as_view(), name="mfa_login_webauthn"),
]
