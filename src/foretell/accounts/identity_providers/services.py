"""The identity providers of a tenant. Whoever runs one can say that anybody is anybody: an owner alone sets one up.

`by` is who asks; None is an operator, at the command line.
"""

import re
from collections.abc import Sequence

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import transaction

from foretell.accounts.identity_providers.errors import InvalidProvider, ProviderNotFound
from foretell.accounts.identity_providers.fetching import Forbidden, check_url
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.permissions import Action, Principal, is_allowed
from foretell.audit.recording import record
from foretell.problems import Fault
from foretell.refusals import NotAllowed

DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
MAX_PROVIDERS = 20
MAX_DOMAINS = 50


@transaction.atomic
def set_provider(
    *,
    slug: str,
    name: str,
    issuer: str,
    client_id: str,
    secret: str | None = None,
    email_domains: Sequence[str] = (),
    joins_as: str = "",
    by: Principal | None = None,
) -> IdentityProvider:
    """Set up a provider, or change one; a secret that is not given stays as it is.

    Security: who came by it before is known by its issuer's word. Another issuer knows nobody yet.

    Raises
    ------
    NotAllowed, InvalidProvider
    """
    _check_owner(by)
    found = IdentityProvider.objects.select_for_update().filter(pk=slug).first()
    before = None if found is None else described(found)
    provider = found or IdentityProvider(slug=slug)
    has_moved = found is not None and (found.issuer, found.client_id) != (issuer.rstrip("/"), client_id)
    provider.name, provider.issuer, provider.client_id = name, issuer.rstrip("/"), client_id
    provider.email_domains, provider.joins_as = sorted({domain.lower() for domain in email_domains}), joins_as
    if secret:
        provider.secret = secret
    _check(provider, is_new=found is None)
    if has_moved:
        _forget_people(provider)
    provider.save()
    after = described(provider) | {"has_new_secret": bool(secret)}
    record(action="identity_provider.set", target=_target(provider), name=name, before=before, after=after)
    return provider


@transaction.atomic
def remove_provider(*, slug: str, by: Principal | None = None) -> None:
    """Let nobody in by it any more; who came by it keeps their account, and sets a password by mail.

    Raises
    ------
    NotAllowed, ProviderNotFound
    """
    _check_owner(by)
    provider = IdentityProvider.objects.select_for_update().filter(pk=slug).first()
    if provider is None:
        raise ProviderNotFound
    _forget_people(provider)
    before, target = described(provider), _target(provider)
    provider.delete()
    record(action="identity_provider.removed", target=target, name=provider.name, before=before)


def get_provider(slug: str) -> IdentityProvider:
    found = IdentityProvider.objects.filter(pk=slug).first()
    if found is None:
        raise ProviderNotFound
    return found


def described(provider: IdentityProvider) -> dict[str, object]:
    """Return what the audit, and everybody else, is told of one: not its secret."""
    return {
        "name": provider.name, "issuer": provider.issuer, "client_id": provider.client_id, "email_domains": provider.email_domains,
        "joins_as": provider.joins_as,
    }  # fmt: skip


def _check_owner(by: Principal | None) -> None:
    if by is not None and not is_allowed(by, Action.OWN):
        raise NotAllowed("Only an owner decides who may tell this tenant who somebody is.")


def _check(provider: IdentityProvider, *, is_new: bool) -> None:
    faults: list[Fault] = []
    try:
        provider.clean_fields(exclude=["sealed_secret"])
    except ValidationError as err:
        faults += [
            Fault(attr=attr, code="invalid", detail=text) for attr, texts in err.message_dict.items() for text in texts
        ]
    try:
        check_url(provider.issuer)
    except Forbidden as err:
        faults.append(Fault(attr="issuer", code="invalid", detail=str(err)))
    if not provider.sealed_secret:
        faults.append(Fault(attr="secret", code="required", detail="A new provider needs the client's secret."))
    wrong = [domain for domain in provider.email_domains if not DOMAIN.fullmatch(domain)]
    if wrong or len(provider.email_domains) > MAX_DOMAINS:
        detail = (
            f"Expected {MAX_DOMAINS} domains at most, such as example.com; found {', '.join(wrong)[:200] or 'more'}."
        )
        faults.append(Fault(attr="email_domains", code="invalid", detail=detail))
    if provider.joins_as and not provider.email_domains:
        detail = "Who comes by a provider of the whole world's is invited. Name the domains that are yours."
        faults.append(Fault(attr="joins_as", code="invalid", detail=detail))
    if is_new and IdentityProvider.objects.count() >= MAX_PROVIDERS:
        faults.append(Fault(attr="slug", code="too_many", detail=f"A tenant has {MAX_PROVIDERS} providers at most."))
    if faults:
        raise InvalidProvider(faults)


def _forget_people(provider: IdentityProvider) -> None:
    for account in SocialAccount.objects.filter(provider=provider.slug):
        account.delete()


def _target(provider: IdentityProvider) -> tuple[str, str]:
    return "identity_provider", provider.slug
