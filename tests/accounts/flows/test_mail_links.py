"""Whoever asks for a mail to somebody else writes the Host header, and does not choose where its link leads."""

import httpx
import pytest
from django.test import override_settings

from foretell.accounts.flows import forms
from foretell.accounts.invitation_mail import base_of
from tests.accounts.flows.test_resetting import queued
from tests.accounts.flows.walking import PASSPHRASE, Headless, mails, opened
from tests.cast import House
from tests.http import HttpFor

BELOW, OWN = "/t/acme/", "http://acme.localhost:8000/"


def asked_at(http_for: HttpFor, host: str, *, below: str = BELOW) -> str:
    """Ask for a new password for Bob at this host; return where the link in his mail would begin."""
    client = http_for(None)
    client.base_url = httpx.URL(f"http://{host}{below}")
    assert Headless(client).post("auth/password/request", email="bob@acme.example").status_code == 200
    return str(queued()[-1]["base"])


@pytest.mark.parametrize(
    "host", ["evil.example", "globex.localhost", "acme.localhost.evil.example", "operators.example", "0x7f000001"]
)
def test_below_a_prefix_a_host_that_is_not_the_installations_is_not_named(
    cast: object, http_for: HttpFor, host: str
) -> None:
    assert asked_at(http_for, host) == OWN


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1"])
def test_where_the_installation_is_links_stay_below_the_prefix(cast: object, http_for: HttpFor, host: str) -> None:
    assert asked_at(http_for, host) == f"http://{host}{BELOW}"


def test_at_the_tenants_own_host_links_stay_there(cast: object, http_for: HttpFor) -> None:
    assert asked_at(http_for, "acme.localhost", below="/") == "http://acme.localhost/"


def test_a_host_that_the_operator_names_and_no_tenant_has_is_the_installations(cast: object, http_for: HttpFor) -> None:
    with override_settings(ALLOWED_HOSTS=["models.example", "globex.localhost"]):
        assert asked_at(http_for, "models.example") == f"http://models.example{BELOW}"
        assert asked_at(http_for, "globex.localhost") == OWN


def test_with_the_defence_out_the_link_would_lead_to_whoever_waits_for_it(
    cast: object, http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "root_for_mail", base_of)

    assert asked_at(http_for, "evil.example") == f"http://evil.example{BELOW}"


def test_nor_does_the_mail_to_whom_an_address_belongs_already(acme: House, http_for: HttpFor) -> None:
    opened(acme)
    client = http_for(None)
    client.base_url = httpx.URL(f"http://evil.example{BELOW}")

    Headless(client).post("auth/signup", username="eve", email="bob@acme.example", password=PASSPHRASE)

    told = mails(acme)[0].body
    assert f"{OWN}accounts/password/reset/" in told
    assert "evil" not in told
