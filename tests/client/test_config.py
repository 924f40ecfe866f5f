"""Where the server and the key come from."""

from pathlib import Path

import pytest

from foretell.client import NotConfigured, Settings, resolve, store
from foretell.client._config import config_path, read_stored

SERVER = Settings(url="http://models.example.com", tenant="acme", api_key="ft_stored")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "foretell" / "config.toml"
    store(SERVER, path)
    return path


def test_arguments_win_over_the_environment_and_that_over_the_file(path: Path) -> None:
    environ = {"FORETELL_URL": "http://models.example.com/", "FORETELL_API_KEY": "ft_env"}

    assert resolve(environ={}, path=path) == SERVER
    assert resolve(environ=environ, path=path).api_key == "ft_env"
    assert resolve(api_key="ft_argument", environ=environ, path=path).api_key == "ft_argument"


def test_what_was_stored_for_one_server_never_goes_to_another(path: Path) -> None:
    with pytest.raises(NotConfigured, match="No API key for"):
        resolve("http://evil.example", environ={}, path=path)

    assert resolve("http://evil.example", "ft_own", environ={}, path=path).tenant == ""


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600

    path.chmod(0o644)
    with pytest.raises(NotConfigured, match="chmod 600"):
        resolve(environ={}, path=path)


@pytest.mark.parametrize("text", ["nonsense", "url = 1", "tenant = 'x'", "\xff"])
def test_a_damaged_file_says_how_to_write_it_anew(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(NotConfigured, match="foretell login"):
        resolve(environ={}, path=path)


def test_without_a_server_it_says_the_ways_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="FORETELL_URL"):
        resolve(environ={}, path=tmp_path / "none")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "http://",
        "http://user:hunter2@host",
        "http://host/?a=1",
        "http://[::1",
        "http://host:port",
        "host:99999",
    ],
)
def test_what_is_no_address_is_refused_and_no_password_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured) as caught:
        resolve(url, "ft_x", environ={}, path=tmp_path / "none")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["ft_ x", "ft_\n", "ft_é"])
def test_a_mangled_key_is_refused_without_repeating_it(key: str, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured) as caught:
        resolve("http://x", key, environ={}, path=tmp_path / "none")

    assert key not in str(caught.value)


def test_the_tenant_is_a_prefix_of_every_path(tmp_path: Path) -> None:
    found = resolve("localhost:8000", "ft_x", "acme", environ={}, path=tmp_path / "none")

    assert found.root == "http://localhost:8000/t/acme"
    with pytest.raises(NotConfigured, match="no tenant"):
        resolve("localhost:8000", "ft_x", "../x", environ={}, path=tmp_path / "none")


def test_an_address_that_is_the_tenants_already_stays_as_it_is(tmp_path: Path) -> None:
    found = resolve("http://localhost:8000/t/acme/", "ft_x", "acme", environ={}, path=tmp_path / "none")

    assert found.root == "http://localhost:8000/t/acme"


def test_a_key_is_not_in_the_representation() -> None:
    assert "ft_stored" not in repr(SERVER)


def test_what_is_stored_is_read_back(path: Path) -> None:
    assert read_stored(path) == SERVER
    assert read_stored(path.with_name("none.toml")) is None
    assert config_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/foretell/config.toml")
