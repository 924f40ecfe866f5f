"""Writes down each change of a second factor, whichever face made it: allauth's own signals come after the commit, and not from all of them."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from foretell.accounts.flows.notices import tell_of_recovery_code
from foretell.accounts.second_factor.codes import spend_steps_of_now
from foretell.accounts.second_factor.ending import changed
from foretell.audit.recording import record

T = Authenticator.Type
ADDED = {T.TOTP: "mfa.activated", T.WEBAUTHN: "mfa.passkey_added", T.RECOVERY_CODES: "mfa.recovery_codes_generated"}
REMOVED = {T.TOTP: "mfa.deactivated", T.WEBAUTHN: "mfa.passkey_removed", T.RECOVERY_CODES: "mfa.recovery_codes_removed"}

CODE_USED = "mfa.recovery_code_used"


@receiver(pre_save, sender=Authenticator, dispatch_uid="foretell.second_factor.before")
def before_saving(instance: Any, update_fields: Any = None, **_: Any) -> None:
    if instance._state.adding:
        if instance.type == T.TOTP:
            spend_steps_of_now(instance)
        instance.was = None
    elif update_fields is None or "data" in update_fields:
        instance.was = Authenticator.objects.values_list("data", flat=True).get(pk=instance.pk)
    else:
        instance.was = instance.data


@receiver(post_save, sender=Authenticator, dispatch_uid="foretell.second_factor.saved")
def saved(instance: Any, created: bool, **_: Any) -> None:
    if created:
        _record(ADDED[instance.type], instance)
        changed(instance, ADDED[instance.type])
        return
    action = _changed(instance.was, instance.data)
    if action is not None:
        _record(action, instance)
    if action == CODE_USED:
        tell_of_recovery_code(instance.user)


@receiver(post_delete, sender=Authenticator, dispatch_uid="foretell.second_factor.removed")
def removed(instance: Any, **_: Any) -> None:
    _record(REMOVED[instance.type], instance)
    changed(instance, REMOVED[instance.type])


def _changed(was: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return what a change of a row means to people; None where it is no more than a code that was used."""
    if was.get("used_mask") != now.get("used_mask"):
        return CODE_USED
    if was.get("viewed_at") != now.get("viewed_at"):
        return "mfa.recovery_codes_viewed"
    return "mfa.passkey_renamed" if was.get("name") != now.get("name") else None


def _record(action: str, row: Any) -> None:
    after = {"user": row.user.username, "type": row.type}
    if row.type == T.WEBAUTHN:
        after["name"] = row.data["name"]
    record(action=action, target=("mfa", str(row.pk)), name=row.user.username, after=after)
