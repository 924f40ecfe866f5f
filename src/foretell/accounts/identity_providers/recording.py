"""Writes down that somebody's account was joined to what a provider says of them, and parted from it, whichever face did it."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from foretell.audit.recording import record


@receiver(post_save, sender=SocialAccount, dispatch_uid="foretell.identity_providers.joined")
def joined(instance: Any, created: bool, **_: Any) -> None:
    if created:
        _record("identity.connected", instance)


@receiver(post_delete, sender=SocialAccount, dispatch_uid="foretell.identity_providers.parted")
def parted(instance: Any, **_: Any) -> None:
    _record("identity.disconnected", instance)


def _record(action: str, account: Any) -> None:
    after = {"user": account.user.username, "provider": account.provider}
    record(action=action, target=("identity", str(account.pk)), name=account.user.username, after=after)
