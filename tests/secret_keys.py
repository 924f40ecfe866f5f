"""Another SECRET_KEY, for one test."""

from types import SimpleNamespace

import pytest


def use_secret_key(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Let all go by another one, but the audit's seals: what a test leaves in a chain is sealed as everything else in it."""
    from django.conf import settings

    monkeypatch.setattr("foretell.audit.content.settings", SimpleNamespace(SECRET_KEY=settings.SECRET_KEY))
    monkeypatch.setattr(settings, "SECRET_KEY", secret)
