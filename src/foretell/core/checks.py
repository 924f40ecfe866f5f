"""System checks for mistakes that would let one tenant read another's rows."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.files.storage import DefaultStorage, FileSystemStorage
from django.db.models import FileField

TENANT_SAFE_KEY = "foretell.core.caching.make_key"


@register(Tags.database)
def apps_have_a_place(**_: Any) -> list[CheckMessage]:
    """Refuse an app in neither list: it would be recorded as migrated without its tables."""
    placed = set(settings.SHARED_APPS) | set(settings.TENANT_APPS)
    missing = sorted(set(settings.INSTALLED_APPS) ^ placed)
    return [
        Error(f"{app} is not both in INSTALLED_APPS and in one of SHARED_APPS or TENANT_APPS.", id="foretell.E001")
        for app in missing
    ]


@register(Tags.database)
def tables_have_one_place(**_: Any) -> list[CheckMessage]:
    """Refuse a table in both: `public` is on every tenant's search path, and would be read where one is missing."""
    shared = _tables(settings.SHARED_APPS)
    both = sorted(shared & _tables(settings.TENANT_APPS))
    return [Error(f"The table {table} is both shared and a tenant's.", id="foretell.E002") for table in both]


@register(Tags.caches)
def caches_are_per_tenant(**_: Any) -> list[CheckMessage]:
    unsafe = [alias for alias, cache in settings.CACHES.items() if cache.get("KEY_FUNCTION") != TENANT_SAFE_KEY]
    return [
        Error(
            f"The cache {alias!r} does not put the tenant into its keys.",
            hint=f"KEY_FUNCTION = {TENANT_SAFE_KEY!r}",
            id="foretell.E003",
        )
        for alias in unsafe
    ]


@register(Tags.files)
def files_are_per_tenant(**_: Any) -> list[CheckMessage]:
    """Refuse fields that keep files in Django's own storage: its paths know no tenant, and are made of what users wrote."""
    return [
        Error(
            f"{model._meta.label}.{field.name} keeps its files in Django's storage, where tenants share one directory.",
            hint="Keep bytes with foretell.registry.storage: below the tenant's id, named by their SHA-256.",
            id="foretell.E004",
        )
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, FileField) and type(field.storage) in (FileSystemStorage, DefaultStorage)
    ]


def _tables(app_names: list[str]) -> set[str]:
    return {
        model._meta.db_table
        for config in apps.get_app_configs()
        if config.name in app_names
        for model in config.get_models(include_auto_created=True)
    }
