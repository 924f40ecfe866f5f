"""The permission matrix: every route with every method, and the status that each role gets. A test holds that none is without a row."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.admin import addresses
from tests.models import converted_sum_model, sum_graph


@dataclass(frozen=True)
class Row:
    """One method of one route, with the status that each role gets; an admin's is the owner's too, unless it says otherwise."""

    method: str
    route: str
    path: str
    viewer: int
    editor: int
    admin: int
    request: dict[str, Any] = field(default_factory=dict)
    anonymous: int = 401
    owner: int | None = None  #: where it is not the admin's
    is_somebodys: bool = True  #: names an object of acme's, so that it is 404 at globex

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def status_for(self, role: str) -> int:
        if role == "owner":
            return self.admin if self.owner is None else self.owner
        return int(getattr(self, role))


API = "/api/v1"
PREDICTION = "01a1fd19-5c37-7fea-93a3-387aa748e341"  # Alice's
ENTRY = "01a1fd19-5c37-7fea-93a3-0000000000a0"  # a row of acme's audit
ROBOT = "01a1fd19-5c37-7fea-93a3-0000000000b0"  # a service account of acme's
INVITATION = "01a1fd19-5c37-7fea-93a3-0000000000c0"
PROMOTION = "01a1fd19-5c37-7fea-93a3-0000000000d0"  # asked for by somebody who is none of them
KEY = {"name": "k", "scopes": ["predict"]}
ROW = {"json": {"a": 1, "b": 2}}
PUSH = {
    "files": [("artifact", ("sum.onnx", sum_graph()))],
    "data": {
        "metadata": json.dumps({"converted": converted_sum_model(), "refinements": {"inputs": {"a": {"unit": "m"}}}})
    },
}
MATCH = {"headers": {"If-Match": "*"}}
PROVIDER = {"json": {"name": "Work", "issuer": "https://id.example", "client_id": "foretell", "secret": "secret"}}
SAID = {"description": "x", "tags": {}, "metrics": {}, "lineage": {}}

# fmt: off
MATRIX = [
    Row("GET", "accounts:me", f"{API}/me/", 200, 200, 200, is_somebodys=False),
    Row("PATCH", "accounts:me", f"{API}/me/", 400, 400, 400, {"json": {"current_password": "wrong"}}, is_somebodys=False),
    Row("POST", "accounts:leave", f"{API}/me/leave/", 400, 400, 400, {"json": {"username": "somebody else"}}, is_somebodys=False),
    Row("GET", "accounts:sessions", f"{API}/me/sessions/", 200, 200, 200, is_somebodys=False),
    Row("DELETE", "accounts:sessions", f"{API}/me/sessions/", 204, 204, 204, is_somebodys=False),
    Row("DELETE", "accounts:session", f"{API}/me/sessions/{ROBOT}/", 404, 404, 404),
    Row("GET", "accounts:sign-up", f"{API}/sign-up/", 403, 403, 200, is_somebodys=False),
    Row("PUT", "accounts:sign-up", f"{API}/sign-up/", 403, 403, 200, {"json": {"mode": "open"}}, is_somebodys=False),
    Row("POST", "accounts:ownership", f"{API}/ownership/", 403, 403, 403, {"json": {"to": "adam"}}, owner=200, is_somebodys=False),
    Row("GET", "accounts:keys", f"{API}/keys/", 200, 200, 200, is_somebodys=False),
    Row("POST", "accounts:keys", f"{API}/keys/", 201, 201, 201, {"json": KEY}, is_somebodys=False),
    Row("GET", "accounts:key", f"{API}/keys/robotrobot/", 404, 404, 200),
    Row("DELETE", "accounts:key", f"{API}/keys/robotrobot/", 404, 404, 204),
    Row("POST", "accounts:key-roll", f"{API}/keys/robotrobot/roll/", 404, 404, 201, {"json": {}}),
    Row("GET", "accounts:users", f"{API}/users/", 403, 403, 200, is_somebodys=False),
    Row("POST", "accounts:users", f"{API}/users/", 403, 403, 201, {"json": {"username": "ci"}}, is_somebodys=False),
    Row("GET", "accounts:user", f"{API}/users/{ROBOT}/", 403, 403, 200),
    Row("PATCH", "accounts:user", f"{API}/users/{ROBOT}/", 403, 403, 200, {"json": {"role": "editor"}}),
    Row("DELETE", "accounts:user", f"{API}/users/{ROBOT}/", 403, 403, 204),
    Row("GET", "accounts:identity-providers", f"{API}/identity-providers/", 403, 403, 403, owner=200, is_somebodys=False),
    Row("GET", "accounts:identity-provider", f"{API}/identity-providers/work/", 403, 403, 403, owner=404),
    Row("PUT", "accounts:identity-provider", f"{API}/identity-providers/work/", 403, 403, 403, PROVIDER, owner=200, is_somebodys=False),
    Row("DELETE", "accounts:identity-provider", f"{API}/identity-providers/work/", 403, 403, 403, owner=404),
    Row("DELETE", "accounts:user-second-factor", f"{API}/users/{ROBOT}/second-factor/", 403, 403, 409),
    Row("GET", "accounts:invitations", f"{API}/invitations/", 403, 403, 200, is_somebodys=False),
    Row("POST", "accounts:invitations", f"{API}/invitations/", 403, 403, 201, {"json": {"email": "new@acme.example"}}, is_somebodys=False),
    Row("GET", "accounts:invitation", f"{API}/invitations/{INVITATION}/", 403, 403, 200),
    Row("DELETE", "accounts:invitation", f"{API}/invitations/{INVITATION}/", 403, 403, 204),
    Row("GET", "registry:index", f"{API}/", 200, 200, 200, is_somebodys=False),
    Row("GET", "registry:models", f"{API}/models/", 200, 200, 200, is_somebodys=False),
    Row("POST", "registry:models", f"{API}/models/", 403, 201, 201, {"json": {"name": "wine"}}, is_somebodys=False),
    Row("GET", "registry:model", f"{API}/models/sum/", 200, 200, 200),
    Row("PUT", "registry:model", f"{API}/models/sum/", 403, 403, 200, {"json": {"description": "x", "tags": {}}, **MATCH}),
    Row("PATCH", "registry:model", f"{API}/models/sum/", 403, 403, 200, {"json": {"description": "x"}}),
    Row("DELETE", "registry:model", f"{API}/models/sum/", 403, 403, 204),
    Row("GET", "registry:versions", f"{API}/models/sum/versions/", 200, 200, 200),
    Row("POST", "registry:versions", f"{API}/models/sum/versions/", 403, 201, 201, PUSH, is_somebodys=False),
    Row("GET", "registry:version", f"{API}/models/sum/versions/1/", 200, 200, 200),
    Row("PUT", "registry:version", f"{API}/models/sum/versions/1/", 403, 403, 200, {"json": SAID, **MATCH}),
    Row("PATCH", "registry:version", f"{API}/models/sum/versions/1/", 403, 403, 200, {"json": {"tags": {"team": "a"}}}),
    Row("DELETE", "registry:version", f"{API}/models/sum/versions/2/", 403, 403, 204),
    Row("GET", "registry:lineage", f"{API}/models/sum/versions/1/lineage/", 200, 200, 200),
    Row("GET", "registry:version-tags", f"{API}/models/sum/versions/1/tags/", 200, 200, 200),
    Row("PUT", "registry:version-tags", f"{API}/models/sum/versions/1/tags/", 403, 403, 200, {"json": {"team": "a"}, **MATCH}),
    Row("GET", "registry:version-tag", f"{API}/models/sum/versions/1/tags/team/", 404, 404, 404),
    Row("PUT", "registry:version-tag", f"{API}/models/sum/versions/1/tags/team/", 403, 403, 201, {"json": {"value": "a"}}),
    Row("DELETE", "registry:version-tag", f"{API}/models/sum/versions/1/tags/team/", 403, 404, 404),
    Row("GET", "registry:version-metrics", f"{API}/models/sum/versions/1/metrics/", 200, 200, 200),
    Row("PUT", "registry:version-metrics", f"{API}/models/sum/versions/1/metrics/", 403, 403, 200, {"json": {"f1": 0.5}, **MATCH}),
    Row("GET", "registry:version-metric", f"{API}/models/sum/versions/1/metrics/f1/", 404, 404, 404),
    Row("PUT", "registry:version-metric", f"{API}/models/sum/versions/1/metrics/f1/", 403, 403, 201, {"json": {"value": 0.5}}),
    Row("DELETE", "registry:version-metric", f"{API}/models/sum/versions/1/metrics/f1/", 403, 404, 404),
    Row("GET", "registry:model-tags", f"{API}/models/sum/tags/", 200, 200, 200),
    Row("PUT", "registry:model-tags", f"{API}/models/sum/tags/", 403, 403, 200, {"json": {"team": "a"}, **MATCH}),
    Row("GET", "registry:model-tag", f"{API}/models/sum/tags/team/", 404, 404, 404),
    Row("PUT", "registry:model-tag", f"{API}/models/sum/tags/team/", 403, 403, 201, {"json": {"value": "a"}}),
    Row("DELETE", "registry:model-tag", f"{API}/models/sum/tags/team/", 403, 404, 404),
    Row("GET", "registry:card", f"{API}/models/sum/card/", 404, 404, 404),
    Row("PUT", "registry:card", f"{API}/models/sum/card/", 403, 403, 201, {"json": {"text": "# Sum"}}),
    Row("DELETE", "registry:card", f"{API}/models/sum/card/", 403, 403, 404, MATCH),
    Row("GET", "registry:access", f"{API}/models/sum/access/", 403, 403, 200),
    Row("PATCH", "registry:access", f"{API}/models/sum/access/", 403, 403, 200, {"json": {"restricted": True}}),
    Row("GET", "registry:grants", f"{API}/models/sum/grants/", 403, 403, 200),
    Row("GET", "registry:grant", f"{API}/models/sum/grants/{ROBOT}/", 403, 403, 200),
    Row("PUT", "registry:grant", f"{API}/models/sum/grants/{ROBOT}/", 403, 403, 200, {"json": {"actions": ["push"]}}),
    Row("DELETE", "registry:grant", f"{API}/models/sum/grants/{ROBOT}/", 403, 403, 204),
    Row("GET", "registry:promotions", f"{API}/promotions/", 200, 200, 200, is_somebodys=False),
    Row("GET", "registry:promotion", f"{API}/models/sum/promotions/{PROMOTION}/", 200, 200, 200),
    Row("POST", "registry:promotion-approve", f"{API}/models/sum/promotions/{PROMOTION}/approve/", 403, 403, 200, {"json": {}}),
    Row("POST", "registry:promotion-decline", f"{API}/models/sum/promotions/{PROMOTION}/decline/", 403, 403, 200, {"json": {}}),
    Row("POST", "registry:promotion-withdraw", f"{API}/models/sum/promotions/{PROMOTION}/withdraw/", 403, 403, 403, {"json": {}}),
    Row("GET", "registry:compare", f"{API}/models/sum/compare/?a=1&b=2", 200, 200, 200),
    Row("GET", "registry:artifact", f"{API}/models/sum/versions/1/artifact/", 200, 200, 200),
    Row("GET", "registry:aliases", f"{API}/models/sum/aliases/", 200, 200, 200),
    Row("POST", "registry:aliases", f"{API}/models/sum/aliases/", 403, 403, 201, {"json": {"alias": "canary", "version": 1}}),
    Row("GET", "registry:alias", f"{API}/models/sum/aliases/champion/", 200, 200, 200),
    Row("PUT", "registry:alias", f"{API}/models/sum/aliases/champion/", 403, 403, 200, {"json": {"version": 2}, **MATCH}),
    Row("DELETE", "registry:alias", f"{API}/models/sum/aliases/champion/", 403, 403, 204, MATCH),
    Row("POST", "registry:rollback", f"{API}/models/sum/aliases/champion/rollback/", 403, 403, 409),
    Row("GET", "registry:alias-history", f"{API}/models/sum/aliases/champion/history/", 200, 200, 200),
    Row("POST", "registry:predict", f"{API}/models/sum/predict/", 200, 200, 200, ROW),
    Row("POST", "registry:predict-slashless", f"{API}/models/sum/predict", 200, 200, 200, ROW),
    Row("POST", "registry:predict-alias", f"{API}/models/sum@champion/predict/", 200, 200, 200, ROW),
    Row("POST", "registry:predict-alias-slashless", f"{API}/models/sum@champion/predict", 200, 200, 200, ROW),
    Row("POST", "registry:predict-version", f"{API}/models/sum/versions/1/predict/", 200, 200, 200, ROW),
    Row("POST", "registry:predict-version-slashless", f"{API}/models/sum/versions/1/predict", 200, 200, 200, ROW),
    Row("GET", "monitoring:predictions", f"{API}/predictions/", 200, 200, 200, is_somebodys=False),
    Row("GET", "monitoring:prediction", f"{API}/predictions/{PREDICTION}/", 404, 404, 200),
    Row("GET", "monitoring:usage", f"{API}/usage/", 200, 200, 200, is_somebodys=False),
    Row("GET", "audit:entries", f"{API}/audit/", 403, 403, 200, is_somebodys=False),
    Row("GET", "audit:entry", f"{API}/audit/{ENTRY}/", 403, 403, 200),
    Row("GET", "registry:cors", f"{API}/cors/", 403, 403, 200, is_somebodys=False),
    Row("PUT", "registry:cors", f"{API}/cors/", 403, 403, 200, {"json": {"origins": []}, **MATCH}, is_somebodys=False),
    Row("GET", "registry:schema", f"{API}/schema/", 200, 200, 200, is_somebodys=False),
    Row("GET", "registry:docs", f"{API}/docs/", 200, 200, 200, is_somebodys=False),
]
# fmt: on

# Other people's protocols: their routes are no names of the URLconf's.
# fmt: off
TENSORS = {"json": {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}}
INSTANCES = {"json": {"instances": [[1, 2]]}}
PROTOCOLS = [
    Row("GET", "oip", "/v2", 200, 200, 200, is_somebodys=False),
    Row("GET", "oip", "/v2/models", 200, 200, 200, is_somebodys=False),
    Row("GET", "oip", "/v2/models/sum", 200, 200, 200),
    Row("GET", "oip", "/v2/models/sum/ready", 200, 200, 200),
    Row("POST", "oip", "/v2/models/sum/infer", 200, 200, 200, TENSORS),
    Row("POST", "oip", "/v2/repository/index", 200, 200, 200, is_somebodys=False),
    Row("POST", "oip", "/v2/repository/models/sum/load", 200, 200, 200, is_somebodys=False),  # 400 is how it says "not there"
    Row("POST", "oip", "/v2/repository/models/sum/unload", 200, 200, 200, is_somebodys=False),
    Row("GET", "kserve", "/v1/models", 200, 200, 200, is_somebodys=False),
    Row("GET", "kserve", "/v1/models/sum", 200, 200, 200),
    Row("POST", "kserve", "/v1/models/sum:predict", 200, 200, 200, INSTANCES),
    Row("GET", "mlflow", "/models/sum/ping", 200, 200, 200),
    Row("GET", "mlflow", "/models/sum/version", 200, 200, 200),
    Row("POST", "mlflow", "/models/sum/invocations", 200, 200, 200, INSTANCES),
]
MATRIX += PROTOCOLS
PUBLIC = {"/v2/health/live", "/v2/health/ready"}
# fmt: on

# Pages are for sessions, and their tests (tests/web) sign in; here they are held to their door.
PAGES = {
    "web:catalogue": "/",
    "web:model": "/models/sum/",
    "web:access": "/models/sum/access/",
    "web:promotions": "/promotions/",
    "web:settings": "/settings/",
    "web:account": "/settings/account/",
    "web:sessions": "/settings/sessions/",
    "web:sign-up-policy": "/settings/sign-up/",
    "account_email": "/accounts/email/",
    "account_change_password": "/accounts/password/change/",
    "account_reauthenticate": "/accounts/reauthenticate/",
    "web:keys": "/settings/keys/",
    "web:key-roll": "/settings/keys/robotrobot/roll/",
    "web:key-revoke": "/settings/keys/robotrobot/revoke/",
    "web:members": "/settings/members/",
    "web:member": f"/settings/members/{ROBOT}/",
    "web:member-remove": f"/settings/members/{ROBOT}/remove/",
    "web:invitations": "/settings/invitations/",
    "web:invitation-revoke": f"/settings/invitations/{INVITATION}/revoke/",
    "web:transfer": "/settings/ownership/",
    "web:leave": "/settings/leave/",
    "web:audit": "/settings/audit/",
    "web:identity": "/settings/identity/",
    "web:identity-provider": "/settings/identity/work/",
    "identity_disconnect": "/settings/security/identities/work/remove/",
    "mfa_index": "/settings/security/",
    "mfa_activate_totp": "/settings/security/app/",
    "mfa_deactivate_totp": "/settings/security/app/off/",
    "mfa_view_recovery_codes": "/settings/security/codes/",
    "mfa_generate_recovery_codes": "/settings/security/codes/new/",
    "mfa_add_webauthn": "/settings/security/passkeys/add/",
    "mfa_edit_webauthn": "/settings/security/passkeys/1/",
    "mfa_remove_webauthn": "/settings/security/passkeys/1/remove/",
    "mfa_reauthenticate": "/accounts/reauthenticate/code/",
    "mfa_reauthenticate_webauthn": "/accounts/reauthenticate/passkey/",
}
PAGES |= addresses.PAGES
# What lets one in there is the link itself (tests/accounts/test_invitations.py); without a right one nothing is there.
BY_LINK = {
    "web:invitation": "/accounts/invitation/01a1fd195c377fea93a30000000000c0:1t:AAAA/",
    "openid_connect_callback": "/accounts/oidc/work/callback/",  # of a provider that is there: tests/accounts/identity_providers
}
# A step of a sign-in that was begun (tests/web/test_security.py); without one it leads back to the login.
STEPS = {"mfa_authenticate": "/accounts/2fa/"}
OPEN_TO_ALL = {
    "mfa_login_webauthn": "/accounts/passkey/",
    "web:login": "/accounts/login/",
    "account_login": "/accounts/login/",
    "tokens:jwks": "/.well-known/jwks.json",
}
POST_ONLY = {
    "web:logout": "/accounts/logout/", "account_logout": "/accounts/logout/", "web:promotion": f"/promotions/{PROMOTION}/",
    "mfa_give_up": "/accounts/2fa/cancel/", "openid_connect_login": "/accounts/oidc/work/login/",
}  # fmt: skip
# What decides there is in the body (tests/accounts/tokens); whatever credential comes along is not looked at.
TOKENS = {
    "tokens:token": ("/api/token/", {"username": "bob", "password": "wrong"}),
    "tokens:refresh": ("/api/token/refresh/", {"refresh": "ftr_" + "A" * 72}),
    "tokens:verify": ("/api/token/verify/", {"token": "a.b.c"}),
    "tokens:revoke": ("/api/token/revoke/", {"token": "a.b.c"}),
}
COMING = {
    "accounts:invitation-accept": f"{API}/invitations/accept/"
}  # by a link's token (tests/accounts/test_invitations.py)

# Account flows (tests/accounts/flows): what somebody without a session, or with another credential, gets there.
FLOWS = {
    "account_signup": ("GET", "/accounts/signup/", 403),  # by default people are invited
    "account_email_verification_sent": ("GET", "/accounts/confirm-email/", 302),
    "account_reset_password": ("GET", "/accounts/password/reset/", 200),
    "account_reset_password_done": ("GET", "/accounts/password/reset/done/", 200),
    "account_reset_password_from_key": ("GET", "/accounts/password/reset/key/0-made-up/", 404),
    "account_reset_password_from_key_done": ("GET", "/accounts/password/reset/key/done/", 200),
    "web:session-end": ("POST", "/settings/sessions/1/end/", 403),
    "headless:config": ("GET", f"{API}/config", 200),
    "headless:session": ("GET", f"{API}/auth/session", 401),
    "headless:sessions": ("GET", f"{API}/auth/sessions", 401),
    "headless:login": ("POST", f"{API}/auth/login", 403),  # here and below: without the CSRF token
    "headless:signup": ("POST", f"{API}/auth/signup", 403),
    "headless:verify-email": ("POST", f"{API}/auth/email/verify", 403),
    "headless:resend-code": ("POST", f"{API}/auth/email/verify/resend", 403),
    "headless:request-reset": ("POST", f"{API}/auth/password/request", 403),
    "headless:reset-password": ("POST", f"{API}/auth/password/reset", 403),
    "headless:reauthenticate": ("POST", f"{API}/auth/reauthenticate", 403),
    "headless:change-password": ("POST", f"{API}/account/password/change", 403),
    "headless:mfa-authenticate": ("POST", f"{API}/auth/2fa/authenticate", 403),
    "headless:mfa-reauthenticate": ("POST", f"{API}/auth/2fa/reauthenticate", 403),
    "headless:passkey-authenticate": ("GET", f"{API}/auth/webauthn/authenticate", 401),
    "headless:passkey-reauthenticate": ("GET", f"{API}/auth/webauthn/reauthenticate", 401),
    "headless:passkey-login": ("POST", f"{API}/auth/webauthn/login", 403),
    "headless:authenticators": ("GET", f"{API}/account/authenticators", 401),
    "headless:totp": ("GET", f"{API}/account/authenticators/totp", 401),
    "headless:recovery-codes": ("GET", f"{API}/account/authenticators/recovery-codes", 401),
    "headless:passkeys": ("GET", f"{API}/account/authenticators/webauthn", 401),
}


def routes() -> Iterator[tuple[str, str]]:
    """Yield each named route with each of its methods; a page counts as GET."""
    for name, pattern in named(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
        for method in getattr(view, "required_actions", {"GET": None}):
            yield name, method


def named(patterns: Any, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from named(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


def flattened(patterns: Any) -> list[URLPattern]:
    return [pattern for _, pattern in named(patterns)]
