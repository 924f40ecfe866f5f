"""Credentials that need more than the lane's entries: passwords, by Django's own backends, off the event loop; tokens, from memory."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth import authenticate

from foretell.accounts.login_limits import attempt
from foretell.accounts.models import User
from foretell.accounts.passwords import TooManyLogins
from foretell.accounts.services import pepper
from foretell.accounts.sign_in_policy import require_password_is_enough
from foretell.core.tenancy import use_tenant
from foretell.gateway.away import DatabaseAway, asked_database
from foretell.gateway.catalogue import MemoryCatalogue
from foretell.gateway.entries import newcomer, principal_of
from foretell.gateway.remembered import RememberedPasswords
from foretell.gateway.rows import unpacked
from foretell.gateway.sessions import session_key, user_of_session
from foretell.gateway.tokens import principal_of_token
from foretell.serving.catalogue import Principal, Tenant

THREADS = 4  # one at a time hashes (accounts.passwords), the others look people up
MAX_WAITING = 100


class Passwords:
    """Implements `serving.ports.Credentials`."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._right = RememberedPasswords()
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="password")
        self._waiting = 0

    @property
    def pepper(self) -> bytes:
        return pepper()

    async def verify_password(self, tenant: Tenant, *, name: str, password: str, client: str) -> Principal | None:
        """Return who this is; None where the name or the password is wrong.

        Raises
        ------
        Throttled
            before anything is hashed, after too many that were wrong.
        MoreThanPassword
            for the right one, of somebody who has a second factor, or an address that was never verified.
        TooManyLogins, DatabaseAway
        """
        if self._waiting >= MAX_WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._verified, tenant, name, password, client)
        finally:
            self._waiting -= 1

    async def verify_session(self, tenant: Tenant, cookies: str, *, is_below_prefix: bool) -> Principal | None:
        """Return who is signed in with these cookies; None where nobody is.

        Raises
        ------
        DatabaseAway
        """
        key = session_key(cookies, is_below_prefix=is_below_prefix)
        if key is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._signed_in, tenant, key)

    def verify_token(self, tenant: Tenant, token: str) -> tuple[Principal, float] | None:
        """Return whom an access token names, and when it ends, from memory; None where it is none, or was ended."""
        known = self._catalogue.known(tenant.schema_name)
        return None if known is None else principal_of_token(known.tokens, token, now_s=time.time_ns() / 1e9)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verified(self, tenant: Tenant, name: str, password: str, client: str) -> Principal | None:
        # Race condition: known before it is checked, so that a password changed meanwhile is remembered for what is over.
        known = self._catalogue.known(tenant.schema_name)
        try:
            with asked_database(is_away=self._catalogue.is_cut_off), use_tenant(tenant):
                user = authenticate(None, username=name, password=password, client=client)
                if isinstance(user, User):
                    require_password_is_enough(user)
        except DatabaseAway:
            return self._remembered(tenant, name, password, client)
        if not isinstance(user, User):
            return None
        if known is not None:
            self._right.remember(known, name=name, password=password, user_id=str(user.pk))
        return self._principal(tenant, user)

    def _remembered(self, tenant: Tenant, name: str, password: str, client: str) -> Principal:
        """Return whose password this was when the database was last there.

        Security: a wrong one is charged as ever, so that guessing is no easier while the database is away.
        """
        known = self._catalogue.known(tenant.schema_name)
        with attempt(tenant_id=tenant.id, account=name, client=client) as one:
            user_id = None if known is None else self._right.user_id(known, name=name, password=password)
            found = known.wanted.people.get(user_id) if known is not None and user_id is not None else None
            if found is None:
                one.failed()
                raise DatabaseAway
        return found

    def _signed_in(self, tenant: Tenant, key: str) -> Principal | None:
        with asked_database(is_away=self._catalogue.is_cut_off), use_tenant(tenant):
            user = user_of_session(key)
        return self._principal(tenant, user) if isinstance(user, User) else None

    def _principal(self, tenant: Tenant, user: User) -> Principal | None:
        """Return the person as the catalogue knows them; somebody who came a moment ago is not in it yet."""
        known = self._catalogue.known(tenant.schema_name)
        if known is None:
            return None
        found = known.wanted.people.get(str(user.pk))
        if found is not None:
            return found
        rows = unpacked(known.packed)
        return principal_of(newcomer(user, tenant=rows), tenant=rows)
