"""foretell manage …: Django's manage.py, with django-tenants' commands."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from foretell.cli.output import said, say
from foretell.cli.server.installation import installation

EACH = 20  # so few tenants are named one by one


def register(app: typer.Typer) -> None:
    app.command(
        "manage", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    )(manage)
    app.command("migrate")(migrate)


def manage(context: typer.Context) -> None:
    """Run a command of Django or django-tenants, such as `tenant_command shell --schema=…`."""
    with installation(migrated=False):
        from django.core.management import execute_from_command_line

        from foretell.core.tenancy import as_owner, use_public

        with use_public(), as_owner():  # such as Django's own migrations, which change tables
            execute_from_command_line(["foretell manage", *context.args])


def migrate(
    jobs: Annotated[int, typer.Option(help="How many tenants are migrated at once.", min=1, max=64)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Bring the database to this version: the public schema, then every tenant's. Safe to repeat: it goes on where it stopped."""
    with installation(migrated=False):
        from foretell.config import migrating

        outcome = migrating.migrate(jobs=jobs, on_progress=_shown)
    words = (
        "[green]migrated[/] all schemas."
        if outcome.is_changed
        else "Nothing to migrate: all schemas are at this version."
    )
    if outcome.failures:
        words = f"[yellow]migrated[/] {outcome.n_done} tenants; {len(outcome.failures)} failed:"
    failed = [asdict(failure) for failure in outcome.failures]
    result = {
        "migrated": outcome.is_changed,
        "public": outcome.is_public_changed,
        "tenants": outcome.n_done,
        "failed": failed,
    }
    said(words, result if as_json else None)
    if outcome.failures:
        raise migrating.NotAllMigrated(outcome.failures)


def _shown(done: int, total: int, tenant: Any) -> None:
    """Tell how far it is: of many, each hundredth."""
    if total <= EACH or done % max(total // 100, 1) == 0 or done == total:
        say(f"{done:>{len(str(total))}}/{total} {tenant.name}")
