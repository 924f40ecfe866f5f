"""What the suites share that call every route: two tenants, and a way to ask them."""

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from tests.cast import House
from tests.http import refreshed
from tests.isolation.asking import Answer, Request, ask
from tests.isolation.furnishing import furnish
from tests.isolation.rows import kept
from tests.isolation.twins import NAMES, Twin

Ask = Callable[[Request], Answer]


@pytest.fixture(scope="module")
def twins(database: None) -> Iterator[tuple[Twin, Twin]]:
    from foretell.tenants.deleting import delete_tenant
    from foretell.tenants.services import create_tenant

    # Tokens hold for as long as the suite may take on a busy machine.
    with override_settings(ACCESS_TOKEN_S=3_600):
        castor, pollux = (Twin(House(tenant=create_tenant(name=name), people={})) for name in NAMES)
        for twin in (castor, pollux):
            furnish(twin)
        with kept(castor), kept(pollux):
            refreshed()
            yield castor, pollux
        for twin in (castor, pollux):
            delete_tenant(tenant=twin.house.tenant)
    refreshed()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    logging.disable(logging.CRITICAL)  # Optimization: thousands of refusals are no news
    with asyncio.Runner() as runner:
        yield runner
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def asked(twins: tuple[Twin, Twin], runner: asyncio.Runner) -> Ask:
    from foretell.config.asgi import application

    return lambda request: ask(runner, application, request)
