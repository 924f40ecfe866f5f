"""/api/token/…: signing in for tokens, refreshing, checking and ending them; and the keys to verify them with, for everybody."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import msgspec
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from foretell import credentials
from foretell.accounts.models import User
from foretell.accounts.permissions import Principal
from foretell.accounts.sign_in_policy import require_code_beside_password
from foretell.accounts.throttling import take_from
from foretell.accounts.tokens import services
from foretell.accounts.tokens.checking import verify_access
from foretell.accounts.tokens.documented import PAIR, REVOKED, VERIFIED
from foretell.accounts.tokens.issuing import TokenPair, audience, issuer
from foretell.accounts.tokens.serializers import (
    AccessSerializer,
    AnyTokenSerializer,
    RefreshSerializer,
    SignInSerializer,
)
from foretell.accounts.tokens.signing_keys import jwks, published_keys
from foretell.accounts.views.opened import OpenView
from foretell.audit.actors import Credential, identify
from foretell.core.strict import StrictSerializer
from foretell.credentials import NOT_KNOWN

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1
JWKS_TYPE = "application/jwk-set+json"
JWKS_MAX_AGE_S = 300  # far less than a key is published ahead; a key that was replaced at once is gone as soon


class TokenView(OpenView):
    """Sign in for tokens."""

    @extend_schema(operation_id="token_create", request=SignInSerializer, responses=PAIR, auth=[])
    def post(self, request: Request) -> Response:
        """Give a name and a password, and get an access token and a refresh token.

        Who has a second factor gives its `code` as well; without it, the right password is answered 403 with the code `code_needed`.
        Too many failures are answered 429 before anything is looked at; an unknown name is answered as a wrong password is.
        """
        fields = _validated(SignInSerializer, request)
        user = authenticate(request._request, username=fields["username"], password=fields["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(NOT_KNOWN)
        require_code_beside_password(user, fields.get("code", ""))
        take_from(request, Principal(user=user))
        identify(user_id=str(user.pk), name=user.username, credential=Credential.PASSWORD)
        return _answer(services.sign_in(user=user, scopes=_scopes(fields), now=timezone.now()))


class RefreshView(OpenView):
    """Use a refresh token."""

    @extend_schema(operation_id="token_refresh", request=RefreshSerializer, responses=PAIR, auth=[])
    def post(self, request: Request) -> Response:
        """Give a refresh token, and get the next one with a new access token.

        Each is used once. One that was used before ends all tokens of its sign-in; but where an answer was lost, the same request
        within 10 seconds is answered again, with the same next refresh token.
        """
        fields = _validated(RefreshSerializer, request)

        def admit(user: User) -> None:
            take_from(request, Principal(user=user))

        try:
            pair = services.refresh(
                token=fields["refresh"], scopes=_scopes(fields), now=timezone.now(), admit=admit
            )  # fmt: skip
        except credentials.AuthenticationFailed as err:  # DRF adds the challenge to its own error only
            raise AuthenticationFailed(err.message) from err
        return _answer(pair)


class VerifyView(OpenView):
    """Check an access token."""

    @extend_schema(operation_id="token_verify", request=AccessSerializer, responses=VERIFIED, auth=[])
    def post(self, request: Request) -> Response:
        """Give an access token, and learn whose it is at this moment: also whether it was ended, which the JWKS does not tell."""
        found = verify_access(_validated(AccessSerializer, request)["token"], now=timezone.now())
        if found is None:
            raise AuthenticationFailed(NOT_KNOWN)
        claims, user = found
        shown = {
            "username": user.username, "role": user.role, "scope": claims.scope, "sub": claims.sub, "aud": audience(),
            "iss": issuer(), "exp": claims.exp,
        }  # fmt: skip
        return Response(shown, headers=NO_STORE)


class RevokeView(OpenView):
    """End all tokens of a sign-in."""

    @extend_schema(operation_id="token_revoke", request=AnyTokenSerializer, responses=REVOKED, auth=[])
    def post(self, request: Request) -> Response:
        """Give a refresh token or an access token, and end all that came of the same sign-in.

        The answer is the same for a text that is no token, or not any more (RFC 7009).
        """
        services.revoke(token=_validated(AnyTokenSerializer, request)["token"], now=timezone.now())
        return Response({}, headers=NO_STORE)


@csrf_exempt  # nothing is changed here: POST is answered 405, as everywhere
@require_safe
def jwks_document(request: HttpRequest) -> HttpResponse:
    """Answer with the public keys of the tenant at hand, for whoever verifies its tokens."""
    content = msgspec.json.encode(jwks(published_keys(now=timezone.now())))
    headers = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE_S}"}
    return HttpResponse(content, content_type=JWKS_TYPE, headers=headers)


def _validated(serializer_class: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields


def _scopes(fields: dict[str, Any]) -> Iterable[str] | None:
    scope = fields.get("scope")
    return None if scope is None else frozenset(scope.split())


def _answer(pair: TokenPair) -> Response:
    return Response({**asdict(pair), "token_type": "Bearer"}, headers=NO_STORE)
