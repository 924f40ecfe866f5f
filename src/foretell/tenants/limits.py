"""The limits of a plan and a tenant's own, beside the installation's: what may be said, and what holds."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction

from foretell.audit.recording import record
from foretell.core.tenancy import use_public
from foretell.errors import ForetellError
from foretell.limits import Rate
from foretell.tenants.models import Tenant, merged_limits

RATES = ("tenant", "user", "key")
QUOTAS = ("requests_per_month", "rows_per_month")
OFF, DEFAULT = "off", "default"
MAX_QUOTA = 10**15


class InvalidLimit(ForetellError):
    code = "invalid_limit"
    kind = "invalid"


def rate_of(limits: Mapping[str, Any], kind: str) -> Rate | None:
    """Return the rate that holds for a key, a user or the tenant; None: no limit."""
    found = limits.get(kind)
    if found is None:
        rate: Rate | None = settings.LIMIT_RATES[kind]
        return rate
    return None if found == OFF else _parsed(found)


def quota_of(limits: Mapping[str, Any], name: str) -> int | None:
    """Return the month's quota; None: no end."""
    found = limits.get(name)
    return None if found is None else int(found)


def set_limits(*, tenant: Tenant, changes: Mapping[str, str | int | None]) -> None:
    """Change the tenant's own that are named; None leaves one to its plan, or the installation, again.

    Raises
    ------
    InvalidRate, InvalidLimit
    """
    before = tenant.own_limits
    after = changed(before, changes)
    with use_public(), transaction.atomic():
        tenant.own_limits = after
        tenant.save(update_fields=["own_limits", "updated_at"])
        record(
            action="tenant.limited", target=("tenant", str(tenant.pk)), name=tenant.name,
            before={"limits": before}, after={"limits": after},
        )  # fmt: skip


def changed(limits: Mapping[str, Any], changes: Mapping[str, str | int | None]) -> dict[str, Any]:
    """Return the limits with these changes; None takes one away.

    Raises
    ------
    InvalidRate, InvalidLimit
    """
    merged = {**limits, **{name: _checked(name, value) for name, value in changes.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def read_limits(given: Mapping[str, str]) -> dict[str, str | int | None]:
    """Return limits as `set_limits` takes them, of what a person typed; `default` is the installation's own."""
    return {name: _read(name, text.strip()) for name, text in given.items()}


def limits_in_words(own: Mapping[str, Any], of_plan: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    """Return each limit with what holds, and who said so."""
    limits = merged_limits(of_plan, own)
    rates = {kind: str(rate_of(limits, kind) or OFF) for kind in RATES}
    quotas = {name: "none" if (quota := quota_of(limits, name)) is None else str(quota) for name in QUOTAS}
    return [
        {"limit": name, "value": value, "set_by": _set_by(name, own, of_plan or {})}
        for name, value in (rates | quotas).items()
    ]


def _set_by(name: str, own: Mapping[str, Any], of_plan: Mapping[str, Any]) -> str:
    if name in own:
        return "tenant"
    return "plan" if name in of_plan else "installation"


def _read(name: str, text: str) -> str | int | None:
    if text == DEFAULT:
        return None
    if name in RATES:
        return text
    if not text.isascii() or not text.isdecimal():
        raise InvalidLimit(f"{name} is {text[:40]!r}; expected a whole number, or {DEFAULT} for no end.")
    return int(text)


def _checked(name: str, value: str | int | None) -> str | int | None:
    if value is None:
        return None
    if name in RATES:
        return OFF if value == OFF else str(Rate.parse(str(value)))
    if name not in QUOTAS:
        raise InvalidLimit(f"There is no limit {name!r}. Expected one of {', '.join(RATES + QUOTAS)}.")
    if not isinstance(value, int) or not 0 <= value <= MAX_QUOTA:
        raise InvalidLimit(f"{name} is {value!r}; expected a whole number from 0 to {MAX_QUOTA}.")
    return value


_parsed = lru_cache(maxsize=1_024)(Rate.parse)
