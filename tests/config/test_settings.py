"""The environment: what is malformed stops the start with one clear line, and tells no secret."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foretell.config.database import django_database
from foretell.config.secret_key import installation_secret
from foretell.env import MalformedVariable


def started_with(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "foretell.config.prepare", "http://localhost"],
        env={"PATH": os.environ["PATH"], "FORETELL_HOME": str(home), "DJANGO_SETTINGS_MODULE": "foretell.config.settings", **variables},
        cwd=home, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"), ("PORT", "70000"), ("FORETELL_HTTPS", "maybe"), ("LOG_LEVEL", "LOUD"), ("LOG_FORMAT", "xml"), ("FORETELL_MAX_UPLOAD_MB", "-1"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"), ("SECRET_KEY", "hunter2"),
    ],
)  # fmt: skip
def test_a_malformed_variable_is_one_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    done = started_with(tmp_path, **{name: value})

    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert name in done.stderr
    assert "hunter2" not in done.stderr


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: installation_secret(tmp_path / "home"), range(16)))

    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert (tmp_path / "home" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secret_key"]


def test_a_home_that_cannot_keep_the_secret_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    with pytest.raises(MalformedVariable, match="FORETELL_HOME is"):
        installation_secret(tmp_path / "home")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@db.example:6000/app", ("u", "p@ss", "db.example", "6000", "app")),
        ("postgres://u@/app?host=/run/postgresql", ("u", "", "/run/postgresql", "", "app")),
        ("postgresql://u@%2Frun%2Fpostgresql/app", ("u", "", "/run/postgresql", "", "app")),
        ("postgresql:///app?host=/run/pg&port=5433", ("", "", "/run/pg", "5433", "app")),
        ("postgresql://[::1]:5432/app", ("", "", "::1", "5432", "app")),
    ],
)
def test_a_database_url_is_read_with_sockets_and_escapes(url: str, expected: tuple[str, ...]) -> None:
    database = django_database(url)

    assert tuple(database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected


def test_options_of_the_url_reach_the_driver() -> None:
    assert django_database("postgresql://db/app?sslmode=require")["OPTIONS"]["sslmode"] == "require"


def test_a_database_that_falls_silent_is_noticed_within_seconds_unless_the_address_says_otherwise() -> None:
    assert django_database("postgresql://db/app")["OPTIONS"]["tcp_user_timeout"] == "8000"
    assert django_database("postgresql://db/app?tcp_user_timeout=5000")["OPTIONS"]["tcp_user_timeout"] == "5000"


def test_the_settings_have_no_debug_and_trust_no_proxy() -> None:
    from django.conf import settings

    assert settings.DEBUG is False
    assert settings.USE_X_FORWARDED_HOST is False
    assert settings.SECURE_PROXY_SSL_HEADER is None
    assert settings.TIME_ZONE == "UTC"
    assert "unsafe" not in str(settings.CONTENT_SECURITY_POLICY)
