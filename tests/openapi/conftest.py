"""Acme with models on a real port, for programs that know nothing of Foretell but its OpenAPI document."""

from collections.abc import Iterator

import pytest

from tests.cast import House
from tests.models import ready_sum_model
from tests.served import Served, served
from tests.trained import ready_example


@pytest.fixture(scope="module")
def acme_served(_houses: dict[str, House]) -> Iterator[Served]:
    acme = _houses["acme"]
    for name, tweak in (("sum", ""), ("sum", "second"), ("wine", "")):
        ready_sum_model(acme, name=name, tweak=tweak)
    ready_example(acme, "titanic")
    with served() as port:
        yield Served(f"http://localhost:{port}/t/acme", acme)
    acme.reset()
