"""foretell manage …: Django's manage.py, with django-tenants' commands."""

from typing import Annotated

import typer

from foretell.cli.output import said
from foretell.cli.server.installation import installation


def register(app: typer.Typer) -> None:
    app.command(
        "manage", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    )(manage)
    app.command("migrate")(migrate)


def manage(context: typer.Context) -> None:
    """Run a command of Django or django-tenants, such as `tenant_command shell --schema=…`."""
    with installation(migrated=False):
        from django.core.management import execute_from_command_line

        from foretell.core.tenancy import use_public

        with use_public():
            execute_from_command_line(["foretell manage", *context.args])


def migrate(as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Bring the database to this version: the public schema, then every tenant's. Safe to repeat."""
    with installation(migrated=False):
        from foretell.config import migrating

        is_changed = migrating.migrate()
    words = "[green]migrated[/] all schemas." if is_changed else "Nothing to migrate: all schemas are at this version."
    said(words, {"migrated": is_changed} if as_json else None)
