"""EMAIL_URL: what each address means, and one clear line for what none of them is, without the password."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import override_settings

from foretell.config.mail import mail_settings
from foretell.env import MalformedVariable

HOME = Path("/var/lib/foretell")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", {"EMAIL_HOST": "mail.example", "EMAIL_PORT": 25, "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False}),
        ("smtp+tls://u:p%40ss@mail.example", {"EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_HOST_USER": "u", "EMAIL_HOST_PASSWORD": "p@ss"}),
        ("smtps://u@mail.example:4650/", {"EMAIL_PORT": 4650, "EMAIL_USE_SSL": True, "EMAIL_HOST_PASSWORD": ""}),
        ("file:///var/mail/out", {"EMAIL_FILE_PATH": "/var/mail/out"}),
        ("console://", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        ("", {"EMAIL_BACKEND": "foretell.core.mail.ConsoleAndFiles", "EMAIL_FILE_PATH": "/var/lib/foretell/mail"}),
    ],
)  # fmt: skip
def test_each_address_is_read(url: str, expected: dict[str, Any]) -> None:
    assert expected.items() <= mail_settings(url, home=HOME).items()


@pytest.mark.parametrize(
    "url", ["mail.example", "smtp://", "http://u:geheim@x", "smtp://u:geheim@x:port", "smtp://u:geheim@x/path", "file://relative", "file:///", "smtp://[u:geheim"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_line_without_the_password(url: str) -> None:
    with pytest.raises(MalformedVariable, match="EMAIL_URL") as caught:
        mail_settings(url, home=HOME)

    assert "geheim" not in str(caught.value)


def test_in_development_mail_is_on_the_console_and_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with override_settings(**mail_settings("", home=tmp_path)):
        EmailMessage("Hello", "A line.", "f@f.example", ["t@t.example"], connection=get_connection()).send()

    assert "A line." in capsys.readouterr().out
    assert ["A line." in path.read_text() for path in (tmp_path / "mail").iterdir()] == [True]
