"""To a provider, and back from it."""

from http import HTTPStatus
from typing import Any

import requests
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from foretell.accounts.identity_providers.adapter import DOES_NOT_HOLD, logger, not_let_in
from foretell.accounts.identity_providers.limits import take_errand
from foretell.accounts.identity_providers.provider import OIDCAdapter
from foretell.accounts.identity_providers.services import get_provider

#: What allauth's code for providers raises of answers that are not as they should be.
WRONG_ANSWERS = (requests.RequestException, OAuth2Error, LookupError, TypeError, ValueError, AttributeError)


class _Callback(OAuth2CallbackView):  # type: ignore[misc]  # allauth has no types
    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        self.adapter.nonce = state and state.get("nonce")
        return state, response


@require_POST  # Security: a page elsewhere signs nobody in by a link
@never_cache
def to_provider(request: HttpRequest, slug: str) -> HttpResponse:
    """Say where it goes on to. Security: a page, since the policy lets no form lead away; it follows by itself."""
    is_connecting = request.POST.get("process") == AuthProcess.CONNECT
    if is_connecting and is_reauthentication_required(request, app="allauth.mfa"):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': reverse('mfa_index')})}")
    take_errand(request)
    answer = _answer(OAuth2LoginView, request, slug)
    if answer.status_code != HTTPStatus.FOUND:
        return answer
    return render(
        request, "web/to_provider.html", {"address": answer.headers["Location"], "name": get_provider(slug).name}
    )


@require_safe
@never_cache
def from_provider(request: HttpRequest, slug: str) -> HttpResponse:
    take_errand(request)
    return _answer(_Callback, request, slug)


def _answer(view: Any, request: HttpRequest, slug: str) -> HttpResponse:
    try:
        answer: HttpResponse = view.adapter_view(OIDCAdapter(request, slug))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except WRONG_ANSWERS as err:
        logger.warning("The identity provider %s does not answer as it should: %s", slug, err)
        return not_let_in(request, DOES_NOT_HOLD)
    return answer
