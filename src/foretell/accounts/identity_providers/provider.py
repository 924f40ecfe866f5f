"""OpenID Connect as allauth speaks it, with what it leaves out: a nonce, a checked signature, PKCE always, and no claim taken on trust."""

import secrets
from typing import Any

import jwt
from allauth.account.internal.emailkit import valid_email_or_none
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from foretell.accounts.identity_providers.fetching import check_url, fetch_json
from foretell.accounts.identity_providers.joining import Claimed

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_S = 30
MAX_SUBJECT_CHARS = 191  # of the column; the standard has 255, and nobody uses them
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri", "issuer")


class OIDCAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """nonce : what the sign-in at hand was begun with; the provider puts it into the token."""

    nonce: str | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says of itself. Security: it speaks for the issuer that was set up, and for no other."""
        if not hasattr(self, "_openid_config"):
            issuer = self.get_provider().app.settings["server_url"]
            found = dict(fetch_json(f"{issuer}/.well-known/openid-configuration"))
            if str(found.get("issuer", "")).rstrip("/") != issuer or not all(found.get(name) for name in NEEDED):
                raise OAuth2Error("The provider's configuration is of another issuer, or not whole.")
            check_url(str(found["authorization_endpoint"]))  # people are sent there
            self._openid_config = found
        return self._openid_config

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("openid_connect_callback", args=[self.provider_id]))

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("The provider gave no id_token.")
        claims = self._decode_id_token(app, id_token)
        if "email" not in claims and (address := self.openid_config.get("userinfo_endpoint")):
            claims |= self._user_info(str(address), token.token, subject=claims["sub"])
        return self.get_provider().sociallogin_from_response(request, claims)

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """Return the claims of a token that is the provider's own, for us, of now, and of the sign-in at hand."""
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token, key=self._key_of(id_token), algorithms=ALGORITHMS, audience=app.client_id, leeway=LEEWAY_S,
                issuer=self.openid_config["issuer"], options={"require": ["exp", "iat", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError as err:
            raise OAuth2Error(f"The provider's id_token does not hold: {err}") from err
        shown = claims.get("nonce")
        if (
            not self.nonce
            or not isinstance(shown, str)
            or not secrets.compare_digest(shown.encode(), self.nonce.encode())
        ):
            raise OAuth2Error("The provider's id_token is of another sign-in.")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The provider's id_token was made for another client.")
        return claims

    def _key_of(self, id_token: str) -> Any:
        """Return the provider's key that a token names; where it names none, its only one."""
        kid = jwt.get_unverified_header(id_token).get("kid")
        keys = jwt.PyJWKSet.from_dict(dict(fetch_json(self.openid_config["jwks_uri"]))).keys
        found = [key for key in keys if kid in (None, key.key_id) and key.public_key_use in (None, "sig")]
        if len(found) != 1:
            raise OAuth2Error("The provider's id_token is signed with a key that it does not publish.")
        return found[0]

    def _user_info(self, address: str, access_token: str, *, subject: str) -> dict[str, Any]:
        """Return what else the provider tells. Security: of the same person as the token, which alone is signed."""
        headers = {"Authorization": f"Bearer {access_token}"}
        found = fetch_json(address, headers=headers)
        if found.get("sub") != subject:
            raise OAuth2Error("The provider's userinfo is of somebody else than its id_token.")
        return {name: found[name] for name in ("email", "email_verified", "preferred_username") if name in found}


class OIDCProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    oauth2_adapter_class = OIDCAdapter
    supports_token_authentication = False  # Security: a token without a nonce could be another site's
    pkce_enabled_default = True

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_scope())

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, Any]:
        """Security: what is asked of the provider is not for a link to say."""
        return dict(self.get_auth_params())

    def redirect(self, request: HttpRequest, process: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send somebody to the provider; the nonce waits in the session, which is this tenant's, with the state."""
        process = AuthProcess.CONNECT if process == AuthProcess.CONNECT else AuthProcess.LOGIN
        nonce = secrets.token_urlsafe(24)
        is_again = request.user.is_authenticated and process == AuthProcess.LOGIN
        again = {"prompt": "login"} if is_again else {}  # Security: they are to show that it is them
        kwargs["auth_params"] = {**(kwargs.get("auth_params") or {}), **again, "nonce": nonce}
        answer: HttpResponse = super().redirect(request, process, *args, nonce=nonce, **kwargs)
        return answer

    def extract_uid(self, data: dict[str, Any]) -> str:
        return _subject(data)

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"email": claimed_by(data).email}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []  # who somebody is decides `joining`, and no list of allauth's

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        login = super().sociallogin_from_response(request, response)
        login.claimed = claimed_by(response)
        return login


def claimed_by(claims: dict[str, Any]) -> Claimed:
    """Return what is looked at of a token. Some providers say "true" in a text; all else is no."""
    return Claimed(
        subject=_subject(claims),
        email=valid_email_or_none(_text(claims.get("email"))[:254]) or "",
        is_email_verified=claims.get("email_verified") is True or claims.get("email_verified") == "true",
        username=_text(claims.get("preferred_username"))[:150],
    )


def _subject(claims: dict[str, Any]) -> str:
    subject = _text(claims.get("sub"))
    if not 0 < len(subject) <= MAX_SUBJECT_CHARS or not subject.isprintable():
        raise OAuth2Error("The provider's name for this person is empty, too long, or no text.")
    return subject


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


provider_classes = [OIDCProvider]
