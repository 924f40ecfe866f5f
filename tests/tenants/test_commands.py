"""django-tenants' own commands, as `foretell manage` runs them: in the public schema."""

import io
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foretell.core.tenancy import use_public
from tests.cast import Cast


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    with use_public():
        call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_migrating_again_changes_nothing(cast: Cast, capfd: pytest.CaptureFixture[str]) -> None:
    from foretell.config.migrating import is_behind, migrate

    assert not is_behind()
    run("migrate_schemas", interactive=False, verbosity=1)

    said = capfd.readouterr().out
    assert "Starting migration" in said
    assert "Applying" not in said
    assert not migrate().is_changed


def test_a_command_runs_for_one_tenant_in_its_schema(cast: Cast) -> None:
    from foretell.accounts.models import User

    run(
        "tenant_command", "createsuperuser", "--username", "operator", "--email", "operator@acme.example", "--noinput",
        schema_name=cast.acme.tenant.schema_name,
    )  # fmt: skip

    with cast.acme.inside():
        operator = User.objects.get(username="operator")
        assert (operator.role, operator.is_superuser, operator.has_usable_password()) == ("owner", True, False)
    with cast.globex.inside():
        assert not User.objects.filter(username="operator").exists()


def test_a_command_runs_for_all_tenants(cast: Cast) -> None:
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    for house in (cast.acme, cast.globex):
        with house.inside():
            Session.objects.create(session_key=uuid.uuid4().hex, session_data="", expire_date=timezone.now())

    run("all_tenants_command", "clearsessions")

    for house in (cast.acme, cast.globex):
        with house.inside():
            assert not Session.objects.exists()


def test_system_checks_pass(database: None) -> None:
    run("check", fail_level="WARNING")


def test_models_and_migrations_agree(database: None) -> None:
    run("makemigrations", "--check", "--dry-run")


def test_a_tenant_that_is_not_there_is_said_to_be_so(cast: Cast) -> None:
    with pytest.raises(CommandError, match="nothing_of_the_kind"):
        run("tenant_command", "check", schema_name="nothing_of_the_kind")
