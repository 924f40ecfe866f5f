"""Where somebody is led on to is their tenant's, however the address is written."""

import pytest

from foretell.tenants.staying import stays_below


@pytest.mark.parametrize(
    "url", ["/t/acme/", "/t/acme/models/sum/?version=2", "/t/acme/a/../b/", "/t/acme/a..b/", "/t/acme/?next=/t/globex/"]
)
def test_what_is_below_the_prefix_stays(url: str) -> None:
    assert stays_below(url, "/t/acme/")


@pytest.mark.parametrize(
    "url",
    [
        "/", "/t/globex/", "/t/acmeX/", "/t/acme/../globex/", "/t/acme/%2e%2e/globex/", "/t/acme/.%2E/globex/", "/t/acme/a/../../globex/",
        "/t/acme/..\\globex\\", "/t/acme/..%5cglobex/", "/t/acme/..", "",
    ],
)  # fmt: skip
def test_what_leads_out_of_it_does_not(url: str) -> None:
    assert not stays_below(url, "/t/acme/")


@pytest.mark.parametrize("url", ["/", "/models/sum/", "/t/", "/settings/../models/", "/teams/"])
def test_at_the_tenants_host_all_its_pages_stay(url: str) -> None:
    assert stays_below(url, "/")


@pytest.mark.parametrize("url", ["/t/globex/", "/models/../t/globex/", "/models/%2e%2e/t/globex/", "models/", ""])
def test_but_below_another_tenants_prefix(url: str) -> None:
    assert not stays_below(url, "/")
