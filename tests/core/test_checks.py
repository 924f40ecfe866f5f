"""Settings with which one tenant would read another's rows do not start."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from foretell.core import checks


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_the_settings_as_they_are_pass() -> None:
    assert checks.apps_have_a_place() == checks.tables_have_one_place() == checks.caches_are_per_tenant() == []


def test_an_app_in_neither_list_is_found() -> None:
    with override_settings(SHARED_APPS=[app for app in settings.SHARED_APPS if app != "csp"]):
        assert ids(checks.apps_have_a_place()) == ["foretell.E001"]


def test_a_table_in_both_lists_is_found() -> None:
    with override_settings(SHARED_APPS=[*settings.SHARED_APPS, "foretell.registry"]):
        assert "foretell.E002" in ids(checks.tables_have_one_place())


def test_a_cache_whose_keys_do_not_name_the_tenant_is_found() -> None:
    with override_settings(
        CACHES={**settings.CACHES, "other": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    ):
        assert ids(checks.caches_are_per_tenant()) == ["foretell.E003"]


def test_a_field_whose_files_all_tenants_would_share_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.apps import apps
    from django.db import models
    from django.test.utils import isolate_apps

    assert checks.files_are_per_tenant() == []
    with isolate_apps("foretell.registry"):

        class Report(models.Model):
            file = models.FileField(upload_to="reports")

            class Meta:
                app_label = "registry"

            def __str__(self) -> str:
                return "a report"

    monkeypatch.setattr(apps, "get_models", lambda: [Report])
    assert ids(checks.files_are_per_tenant()) == ["foretell.E004"]
