"""The door: whose address is this, who are you, may you, how often. The same for every protocol, and all of it from memory."""

import os
import secrets
import time
from collections.abc import Sequence
from hashlib import blake2b

from foretell import keys, problems
from foretell.credentials import AuthenticationFailed, Bearer, NotAuthenticated, Password, read_credential
from foretell.errors import ForetellError
from foretell.limits import Claim, Limiter, Throttled
from foretell.refusals import ModelNotFound, NotAllowed
from foretell.serving.admission import Admission
from foretell.serving.catalogue import Model, Principal, Tenant, Verified
from foretell.serving.exchange import Exchange, Head
from foretell.serving.pacing import Pacing
from foretell.serving.ports import Catalogue, Credentials, Limits
from foretell.serving.responses import UnknownAddress

PASSWORD_HOLDS_S = 300.0
SESSION_HOLDS_S = 10.0  # whoever signs out is out
KEY_HOLDS_S = 60.0  # so that a key's end is seen; its revocation is a change of the tenant, which forgets it at once
MAX_VERIFIED = 10_000  # of one tenant


class TenantSuspended(ForetellError):
    code = "tenant_suspended"

    def __init__(self) -> None:
        super().__init__(problems.SUSPENDED)


class Door:
    """Lets a request in, step by step; each step raises what the face then says in its own words."""

    def __init__(self, *, catalogue: Catalogue, credentials: Credentials, limiter: Limiter, limits: Limits) -> None:
        self._catalogue, self._credentials = catalogue, credentials
        self._limiter, self._limits = limiter, limits
        self._pepper = credentials.pepper
        self._secret = os.urandom(32)
        self._pacing = Pacing()

    def tenant(self, exchange: Exchange) -> Tenant:
        """Find whose address this is.

        Raises
        ------
        UnknownAddress, TenantSuspended
        """
        found = self._tenant(exchange)
        if found is None:
            raise UnknownAddress
        exchange.tenant = found
        if found.is_suspended:
            raise TenantSuspended
        return found

    async def enter(self, exchange: Exchange) -> Principal:
        """Find out who asks.

        Raises
        ------
        UnknownAddress, TenantSuspended, NotAuthenticated, AuthenticationFailed, Throttled
        """
        self.tenant(exchange)
        return (await self._known(exchange)).principal

    async def _known(self, exchange: Exchange) -> Verified:
        """Return who asks, of the tenant that was found; a key that is not known may have been made a moment ago."""
        try:
            return await self._known_by_now(exchange)
        except AuthenticationFailed:
            if not (_shows_key(exchange) and await self.is_changed(exchange)):
                raise
        return await self._known_by_now(exchange)

    async def is_changed(self, exchange: Exchange) -> bool:
        """Whether more is known of the tenant than when it was found, after a look at what changed by now; it is found anew then.

        Raises
        ------
        UnknownAddress, TenantSuspended
        """
        before = exchange.tenant
        assert before is not None  # noqa: S101  found before
        await self._catalogue.caught_up(before)
        return self.tenant(exchange) is not before

    async def _known_by_now(self, exchange: Exchange) -> Verified:
        tenant = exchange.tenant
        assert tenant is not None  # noqa: S101  found before
        mark = exchange.head.mark or self._marked(exchange.head)
        verified = tenant.verified.get(mark)
        if verified is None or verified.until < _now_s():
            verified = await self._verified(tenant, exchange)
            if len(tenant.verified) >= MAX_VERIFIED:
                tenant.verified.clear()
            tenant.verified[mark] = verified
        exchange.principal = verified.principal
        return verified

    def _marked(self, head: Head) -> bytes:
        """Return what the credentials shown are known by. Security: a digest that only this process can make."""
        shown = head.headers.get(b"authorization", b"") + b"\0" + head.headers.get(b"x-api-key", b"")
        if head.takes_session:
            shown += b"\0" + head.headers.get(b"cookie", b"")
        head.mark = blake2b(shown, key=self._secret, digest_size=16).digest()
        return head.mark

    async def admit(self, exchange: Exchange, name: str) -> Admission:
        """Let somebody predict with a model, and count it.

        Raises
        ------
        UnknownAddress, TenantSuspended, NotAuthenticated, AuthenticationFailed
        ModelNotFound
            also where it is there, but not for this principal.
        NotAllowed, Throttled
        """
        admission = exchange.head.admission
        try:
            if admission is None or not self._holds(admission, exchange):
                admission = exchange.head.admission = await self._admitted(exchange, name)
            exchange.model_name = name
            self._take(exchange, admission.claims)
        except Throttled:
            if exchange.tenant is not None:
                exchange.started += await self._pacing.wait(exchange.tenant.schema_name)  # it is no latency of ours
            raise
        return admission

    async def still(self, exchange: Exchange, admission: Admission) -> Admission:
        """Look again at somebody who was let in a while ago, without counting anything; raises what `admit` raises.

        Security: a body may be a minute in coming, and the key be revoked by then.
        """
        return admission if self._holds(admission, exchange) else await self._admitted(exchange, admission.model.name)

    def _holds(self, admission: Admission, exchange: Exchange) -> bool:
        """Whether somebody may come in as before: the tenant's entry is still the same, and the credential has not run out."""
        tenant = self._tenant(exchange)
        if tenant is None or tenant is not admission.tenant or admission.until < _now_s():
            return False
        exchange.tenant, exchange.principal = tenant, admission.principal
        return True

    async def _admitted(self, exchange: Exchange, name: str) -> Admission:
        self.tenant(exchange)
        verified = await self._known(exchange)
        if not _is_there(*known(exchange), name) and await self.is_changed(exchange):
            verified = await self._known(exchange)
        tenant, principal = known(exchange)
        if name in tenant.models:
            exchange.model_name = name
        try:
            model = visible_model(tenant, principal, name)
            if not principal.may_predict_with(name):
                raise NotAllowed
        except ForetellError:
            self._look(exchange, principal)
            raise
        if model is None:
            self._take(exchange, principal.claims)
            raise ModelNotFound
        claims: Sequence[Claim] = principal.claims
        if model.limit_scope:
            claims = (*claims, *self._limits.scope_claims(tenant, principal, model))
        return Admission(tenant, principal, model, claims, verified.until)

    def count(self, exchange: Exchange) -> None:
        """Count a request that is no prediction.

        Raises
        ------
        Throttled
        """
        _, principal = known(exchange)
        self._take(exchange, principal.claims)

    def expect(self, exchange: Exchange, name: str) -> None:
        """Look whether predictions with a model may come, without counting anything.

        Raises
        ------
        ModelNotFound, NotAllowed
        """
        _, principal = known(exchange)
        self._visible(exchange, name, is_allowed=principal.may_predict_with(name))

    def see(self, exchange: Exchange, name: str) -> Model:
        """Return a model for what there is to know of it, without counting anything.

        Raises
        ------
        ModelNotFound, NotAllowed
        """
        _, principal = known(exchange)
        return self._visible(exchange, name, is_allowed=principal.may_read or principal.may_predict)

    def _visible(self, exchange: Exchange, name: str, *, is_allowed: bool) -> Model:
        """Return a model: hidden is told first, then not allowed, then not there."""
        model = visible_model(*known(exchange), name)
        if not is_allowed:
            raise NotAllowed
        if model is None:
            raise ModelNotFound
        return model

    def _take(self, exchange: Exchange, claims: Sequence[Claim]) -> None:
        decision = self._limiter.take(claims)
        if decision is None:
            return
        exchange.claims, exchange.decision = claims, decision
        if not decision.allowed:
            raise Throttled(decision)

    def _look(self, exchange: Exchange, principal: Principal) -> None:
        """Tell how the limits stand where nothing is taken."""
        exchange.claims = principal.claims
        exchange.decision = self._limiter.take(principal.claims, cost=0)

    def _tenant(self, exchange: Exchange) -> Tenant | None:
        if exchange.is_at_operators:
            return None
        prefix = exchange.head.prefix
        if prefix is not None:
            return self._catalogue.named(prefix)
        host = exchange.head.host
        return None if host is None else self._catalogue.at_host(host)

    async def _verified(self, tenant: Tenant, exchange: Exchange) -> Verified:
        credential = read_credential(exchange.header(b"authorization"), exchange.header(b"x-api-key"))
        if credential is None:
            return await self._verified_session(tenant, exchange)
        if isinstance(credential, Password):
            return await self._verified_password(tenant, credential, exchange.client)
        return self._verified_bearer(tenant, credential)

    async def _verified_password(self, tenant: Tenant, shown: Password, client: str) -> Verified:
        principal = await self._credentials.verify_password(
            tenant, name=shown.name, password=shown.password, client=client
        )
        if principal is None:
            raise AuthenticationFailed
        return Verified(principal, _now_s() + PASSWORD_HOLDS_S)

    async def _verified_session(self, tenant: Tenant, exchange: Exchange) -> Verified:
        cookies = exchange.header(b"cookie")
        if cookies is None or not exchange.head.takes_session:
            raise NotAuthenticated
        principal = await self._credentials.verify_session(tenant, cookies, is_below_prefix=exchange.prefix is not None)
        if principal is None:
            raise NotAuthenticated
        return Verified(principal, _now_s() + SESSION_HOLDS_S)

    def _verified_bearer(self, tenant: Tenant, shown: Bearer) -> Verified:
        if shown.key is None and (token := self._credentials.verify_token(tenant, shown.token)) is not None:
            return Verified(*token)
        return self._verified_key(tenant, shown.key)

    def _verified_key(self, tenant: Tenant, shown: keys.Key | None) -> Verified:
        """Security: an unknown id costs the same HMAC and comparison as a known one."""
        found = tenant.keys.get(shown.id) if shown else None
        offered = keys.digest(shown.secret if shown else "", pepper=self._pepper)
        is_right = secrets.compare_digest(offered, found.digest if found else "0" * len(offered))
        now = _now_s()
        if found is None or not is_right or (found.expires_at is not None and found.expires_at <= now):
            raise AuthenticationFailed
        until = now + KEY_HOLDS_S
        return Verified(found.principal, until if found.expires_at is None else min(until, found.expires_at))


def known(exchange: Exchange) -> tuple[Tenant, Principal]:
    """Return who entered, and where."""
    if exchange.tenant is None or exchange.principal is None:
        raise NotAuthenticated
    return exchange.tenant, exchange.principal


def _shows_key(exchange: Exchange) -> bool:
    shown = read_credential(exchange.header(b"authorization"), exchange.header(b"x-api-key"))
    return isinstance(shown, Bearer) and shown.key is not None


def _is_there(tenant: Tenant, principal: Principal, name: str) -> bool:
    """Whether there is a model that the principal may know of. Security: one that is hidden is looked for again, as one that is not there is."""
    return name in tenant.models and (principal.models is None or name in principal.models)


def visible_model(tenant: Tenant, principal: Principal, name: str) -> Model | None:
    """Return the model, or None where there is none of that name.

    Raises
    ------
    ModelNotFound
        where the principal may not even know whether there is.
    """
    if principal.models is not None and name not in principal.models:
        raise ModelNotFound
    return tenant.models.get(name)


def _now_s() -> float:
    return time.time_ns() / 1e9
