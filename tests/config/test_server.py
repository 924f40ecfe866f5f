"""What a web process grants is the environment's to say; what it cannot read stops the start."""

import resource
from ipaddress import ip_network

import pytest
from django.conf import settings

from foretell.config import readiness
from foretell.config.server import allow_files, server_bounds
from foretell.env import MalformedVariable
from foretell.webserver.bounds import LOOPBACK
from foretell.webserver.overload import load


def test_by_default_this_machine_has_no_limit_per_client() -> None:
    bounds = server_bounds()

    assert bounds.unlimited == LOOPBACK
    assert bounds.max_message_bytes == settings.MAX_PREDICT_BYTES


def test_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_MAX_CONNECTIONS", "200")
    monkeypatch.setenv("FORETELL_MAX_CONNECTIONS_PER_CLIENT", "7")
    monkeypatch.setenv("FORETELL_PROXY_NETWORKS", "10.0.0.0/8, 192.0.2.1")
    monkeypatch.setenv("FORETELL_KEEP_ALIVE_S", "20")

    bounds = server_bounds()

    assert (bounds.max_connections, bounds.max_connections_per_client, bounds.idle_s) == (200, 7, 20)
    assert bounds.unlimited == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))


def test_a_proxy_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_PROXY_NETWORKS", "proxy.example.com")

    with pytest.raises(
        MalformedVariable, match=r"FORETELL_PROXY_NETWORKS is 'proxy.example.com'; expected an address or network"
    ):
        server_bounds()


def test_files_are_allowed_for_all_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        allow_files(300)

        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
        allow_files(200)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_is_about_to_stop_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readiness.REQUIRED["stopping"]() is None

    monkeypatch.setattr(load, "is_leaving", True)

    assert readiness.REQUIRED["stopping"]() == "this process is about to stop"
