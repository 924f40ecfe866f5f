"""Making, rolling, revoking and checking API keys. `by` is who asks; None is an operator, at the command line."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from foretell import keys
from foretell.accounts.errors import (
    AccountNotFound,
    InvalidAccount,
    KeyEnded,
    KeyRolled,
    TooManyKeys,
    in_words,
    of_field,
)
from foretell.accounts.models import APIKey, User
from foretell.accounts.people import faults_of
from foretell.accounts.permissions import Principal, may_give_key, may_hold_keys, may_see_keys
from foretell.accounts.roles import Scope
from foretell.audit.recording import record
from foretell.naming import InvalidName, check_model_name
from foretell.problems import Fault
from foretell.refusals import NotAllowed

MAX_KEYS = 100  # of one owner, at a time
MAX_MODELS = 1_000
GRACE = timedelta(days=1)
MAX_GRACE = timedelta(days=30)
MAX_LIFETIME = timedelta(days=36_500)  # a century; a date far beyond is none


@transaction.atomic
def create_key(
    *,
    user: User,
    name: str,
    scopes: Iterable[str],
    models: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    by: Principal | None = None,
    now: datetime | None = None,
) -> tuple[APIKey, str]:
    """Make a key; the text beside it is the key itself, which nobody can show again.

    Raises
    ------
    InvalidAccount, NotAllowed, TooManyKeys
    """
    owner = _locked_owner(user)
    key = APIKey(
        user=owner, name=name.strip(), scopes=list(dict.fromkeys(scopes)), expires_at=expires_at,
        model_names=None if models is None else sorted(set(models)), created_by=by.user if by else None,
    )  # fmt: skip
    _check_may_give(by, key)
    secret = _saved(key, now or timezone.now())
    record(action="key.created", target=("key", key.key_id), name=key.name, after=described(key))
    return key, secret


@transaction.atomic
def roll_key(
    *,
    key: APIKey,
    now: datetime,
    grace: timedelta = GRACE,
    expires_at: datetime | None = None,
    by: Principal | None = None,
) -> tuple[APIKey, str]:
    """Make a key in the place of another one, which stays valid until the grace ends.

    The new one may do the same, and lasts as long as the old one was made for, unless `expires_at` says otherwise.

    Raises
    ------
    NotAllowed, InvalidAccount
    KeyEnded, KeyRolled
        for one that is over, or has a successor already.
    """
    if not timedelta(0) <= grace <= MAX_GRACE:
        raise of_field("grace_s", "invalid", f"Found {in_words(grace)}, expected 0 to {in_words(MAX_GRACE)}.")
    _locked_owner(key.user)
    old = APIKey.objects.select_for_update(of=("self",)).select_related("user").get(pk=key.pk)
    if not old.is_usable(now):
        raise KeyEnded(old.key_id)
    if old.rolled_to_id is not None:
        raise KeyRolled(old.key_id, old.rolled_to_id)
    new = APIKey(
        user=old.user, name=old.name, scopes=old.scopes, model_names=old.model_names, created_by=by.user if by else None,
        expires_at=expires_at or _as_long_again(old, now),
    )  # fmt: skip
    _check_may_give(by, new)
    secret = _saved(new, now)
    before = described(old)
    old.rolled_to, old.expires_at = new, min(filter(None, (old.expires_at, now + grace)))
    old.save(update_fields=["rolled_to", "expires_at", "updated_at"])
    record(
        action="key.rolled", target=("key", old.key_id), name=old.name, before=before,
        after={"rolled_to": new.key_id, "valid_until": old.expires_at},
    )  # fmt: skip
    record(
        action="key.created", target=("key", new.key_id), name=new.name,
        after={**described(new), "rolled_from": old.key_id},
    )  # fmt: skip
    return new, secret


@transaction.atomic
def revoke_key(*, key: APIKey, now: datetime, by: Principal | None = None) -> None:
    """End a key, for good; revoking it again changes nothing."""
    if by is not None and not may_see_keys(by, key.user):
        raise NotAllowed
    if APIKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        record(action="key.revoked", target=("key", key.key_id), name=key.name, after={"revoked_at": now})


def get_key(key_id: str) -> APIKey:
    named = key_id.removeprefix(keys.PREFIX).split("_", 1)[0]
    found = APIKey.objects.select_related("user").filter(key_id=named).first()
    if found is None:
        raise AccountNotFound(f"There is no key {key_id!r} in this tenant. `foretell key list` shows those there are.")
    return found


def verify_key(key: keys.Key | None, *, now: datetime) -> APIKey | None:
    """Return the usable row of a presented key, or None.

    Security: an unknown id costs the same HMAC and comparison as a known one.
    """
    row = APIKey.objects.usable(now).select_related("user").filter(key_id=key.id if key else "").first()
    offered = keys.digest(key.secret if key else "", pepper=pepper())
    is_right = secrets.compare_digest(offered, row.secret_digest if row else "0" * len(offered))
    if row is None or not is_right:
        return None
    row.was_used(now)
    return row


def pepper() -> bytes:
    """Return what digests of keys are made with, from the installation's secret: a stolen database alone verifies nothing."""
    return sha256(b"foretell api keys\0" + settings.SECRET_KEY.encode()).digest()


def described(key: APIKey) -> dict[str, object]:
    """Return what the audit says of a key."""
    return {
        "name": key.name, "user": key.user.username, "scopes": key.scopes, "models": key.model_names, "expires_at": key.expires_at
    }  # fmt: skip


def _locked_owner(user: User) -> User:
    """Race condition: whoever makes keys for one owner takes turns, so that nobody passes the most one may have."""
    return User.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _check_may_give(by: Principal | None, key: APIKey) -> None:
    """Security: no key has more, or lasts longer, than the one that asks for it; nobody gets a key of somebody above."""
    if by is None:
        return
    if not may_hold_keys(by, key.user):
        raise NotAllowed("You may make keys for yourself, and for those below you.")
    if not may_give_key(by, scopes=key.scopes, models=key.model_names):
        raise NotAllowed("A key has no more scopes and models than the key that asks for it.")
    until = by.key_expires_at
    if until is not None and (key.expires_at is None or key.expires_at > until):
        raise of_field(
            "expires_at", "invalid", f"The key that asks ends at {until.isoformat()}. Expected no later time."
        )


def _saved(key: APIKey, now: datetime) -> str:
    """Give a key its id and secret, check it and keep it; return what is shown this once."""
    fresh = keys.new_key()
    key.key_id, key.secret_digest = fresh.id, keys.digest(fresh.secret, pepper=pepper())
    if faults := [*_scope_faults(key.scopes), *_model_faults(key.model_names), *_faults(key, now)]:
        raise InvalidAccount(faults)
    if APIKey.objects.usable(now).filter(user=key.user).count() >= MAX_KEYS:
        raise TooManyKeys(MAX_KEYS)
    key.save(force_insert=True)
    return str(fresh)


def _as_long_again(key: APIKey, now: datetime) -> datetime | None:
    return None if key.expires_at is None else now + (key.expires_at - key.created_at)


def _faults(key: APIKey, now: datetime) -> list[Fault]:
    faults: list[Fault] = []
    try:
        key.full_clean(exclude=["secret_digest", "scopes", "model_names", "user", "created_by", "rolled_to"])
    except ValidationError as err:
        faults = faults_of(err)
    if key.expires_at is not None and not now < key.expires_at <= now + MAX_LIFETIME:
        detail = "Expected a time to come, within a century; null for a key that does not expire."
        faults.append(Fault(attr="expires_at", code="invalid", detail=detail))
    return faults


def _scope_faults(scopes: Sequence[str]) -> list[Fault]:
    unknown = set(scopes) - set(Scope.values)
    if scopes and not unknown:
        return []
    found = ", ".join(sorted(unknown)) if scopes else "none"
    detail = f"Found {found}; expected one or more of {', '.join(Scope.values)}."
    return [Fault(attr="scopes", code="unknown_scope", detail=detail)]


def _model_faults(models: Sequence[str] | None) -> list[Fault]:
    if models is None:
        return []
    if not 0 < len(models) <= MAX_MODELS:
        detail = f"Found {len(models)} names, expected 1 to {MAX_MODELS}; null for all models."
        return [Fault(attr="models", code="invalid", detail=detail)]
    faults = []
    for position, name in enumerate(models):
        try:
            check_model_name(name)
        except InvalidName as err:
            faults.append(Fault(attr=f"models.{position}", code=err.code, detail=err.message))
    return faults
