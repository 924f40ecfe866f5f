"""Bringing the database to the code: public first, then every tenant's schema. Safe to repeat."""

import sys
from io import StringIO
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from foretell.core.tenancy import use_public, use_tenant
from foretell.tenants.models import Tenant
from foretell.tenants.services import list_tenants

Migration = tuple[str, str]


def migrate(*, verbosity: int = 0) -> bool:
    """Migrate what is behind; return whether anything was. Nothing is run where nothing is behind."""
    if not is_behind():
        return False
    with use_public():
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=verbosity)
        call_command("create_missing_schemas", verbosity=verbosity, stdout=sys.stderr if verbosity else StringIO())
        call_command("migrate_schemas", tenant=True, interactive=False, verbosity=verbosity)
    return True


def is_behind() -> bool:
    """Whether the public schema or a tenant's lacks a migration that the code has."""
    shared, per_tenant = _known(settings.SHARED_APPS), _known(settings.TENANT_APPS)
    with use_public():
        if not shared <= _applied():
            return True
    return any(not per_tenant <= _applied_in(tenant) for tenant in list_tenants())


def _known(app_names: list[str]) -> set[Migration]:
    labels = {config.label for config in apps.get_app_configs() if config.name in app_names}
    return {key for key in MigrationLoader(None, ignore_no_migrations=True).disk_migrations if key[0] in labels}


def _applied_in(tenant: Tenant) -> set[Migration]:
    with use_tenant(tenant):
        return _applied()


def _applied() -> set[Migration]:
    """Read the schema's own record; `public`'s must not stand in for a tenant's that is missing."""
    wrapper: Any = connection  # our own backend, which Django's types do not know
    wrapper.include_public_schema = False
    try:
        return set(MigrationRecorder(connection).applied_migrations())
    finally:
        wrapper.include_public_schema = True
