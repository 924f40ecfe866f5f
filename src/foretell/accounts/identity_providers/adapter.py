"""Where allauth.socialaccount asks this house: which providers there are, and who somebody is that one of them sends."""

import logging
from typing import Any

import requests
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from foretell.accounts.acting import identify_caller
from foretell.accounts.identity_providers import fetching, joining
from foretell.accounts.identity_providers.errors import NotLetIn
from foretell.accounts.identity_providers.models import IdentityProvider
from foretell.accounts.identity_providers.services import get_provider
from foretell.accounts.permissions import principal_of

PROTOCOL = "openid_connect"
CANCELLED = "You did not go on at your identity provider."
DOES_NOT_HOLD = "What your identity provider answered does not hold, or came too late. Begin again."
TOO_LATE = "It took too long, or you have signed out meanwhile. Begin again."

logger = logging.getLogger(__name__)


class IdentityAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def list_apps(self, request: Any, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the tenant's providers as allauth calls them; its own table of them stays empty."""
        rows = IdentityProvider.objects.all()
        if provider not in (None, PROTOCOL):
            rows = rows.filter(pk=provider)
        return [_app(row) for row in rows if client_id in (None, row.client_id)]

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Say who it is. What allauth would go by itself, a list of addresses, is empty."""
        provider, claimed = get_provider(sociallogin.account.provider), sociallogin.claimed
        try:
            if sociallogin.state.get("process") == AuthProcess.CONNECT:
                _connect(request, provider, claimed)
                raise ImmediateHttpResponse(redirect("mfa_index"))
            sociallogin.user = joining.identify(provider=provider, claimed=claimed, now=timezone.now())
        except NotLetIn as err:
            raise ImmediateHttpResponse(not_let_in(request, err.message)) from err

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Say on our page that nobody was let in; to the log, why."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(not_let_in(request, CANCELLED))
        logger.warning("The identity provider %s let nobody in: %s", provider, exception or error)
        raise ImmediateHttpResponse(not_let_in(request, DOES_NOT_HOLD))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Security: whoever may come has come by now; nobody is made a member by allauth's own pages."""
        return False

    def get_requests_session(self) -> requests.Session:
        return fetching.session()


def not_let_in(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "web/not_let_in.html", {"reason": reason}, status=403)


def _connect(request: HttpRequest, provider: IdentityProvider, claimed: joining.Claimed) -> None:
    """Join what the provider says to who is signed in. Security: they showed a moment ago, once more, that it is them."""
    if is_reauthentication_required(request, app="allauth.mfa"):
        raise NotLetIn(TOO_LATE)
    identify_caller(request)
    joining.connect(provider=provider, claimed=claimed, user=principal_of(request).user)


def _app(row: IdentityProvider) -> Any:
    return SocialApp(
        provider=PROTOCOL, provider_id=row.slug, name=row.name, client_id=row.client_id, secret=row.secret,
        settings={"server_url": row.issuer},
    )  # fmt: skip
