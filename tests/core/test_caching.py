"""What one tenant keeps in a cache another does not find, and without a tenant nothing is kept."""

import pytest
from django.core.cache import cache

from foretell.core.caching import make_key, reverse_key
from foretell.core.tenancy import NoTenant, use_public
from tests.cast import House


def test_a_tenant_finds_its_own_and_nobody_elses(acme: House, globex: House) -> None:
    with acme.inside():
        cache.set("colour", "red")
    with globex.inside():
        assert cache.get("colour") is None
        cache.set("colour", "blue")
    with acme.inside():
        assert cache.get("colour") == "red"
        cache.delete("colour")
    with globex.inside():
        assert cache.get("colour") == "blue"
        cache.delete("colour")


def test_without_a_tenant_nothing_is_kept_or_found() -> None:
    for use in (lambda: cache.set("colour", "red"), lambda: cache.get("colour"), lambda: cache.delete("colour")):
        with pytest.raises(NoTenant):
            use()


def test_what_is_the_installations_own_is_kept_in_public() -> None:
    with use_public():
        cache.set("colour", "green")
        assert cache.get("colour") == "green"
        cache.delete("colour")


def test_a_key_comes_back_as_it_was_given() -> None:
    with use_public():
        assert make_key("a:b", "p", 2) == "public:p:2:a:b"
        assert reverse_key(make_key("a:b", "p", 2)) == "a:b"
