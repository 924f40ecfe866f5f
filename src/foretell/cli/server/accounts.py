"""foretell user …, foretell key …: the people of a tenant, and their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, said, say
from foretell.cli.server.installation import installation

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
TenantName = Annotated[str, typer.Option("--tenant", envvar="FORETELL_TENANT", help="The tenant's name.")]
MAX_DAYS = 36_500  # a century; a date far beyond is none
UserName = Annotated[str, typer.Argument(help="The user's name or e-mail address.")]


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="The people of a tenant.", no_args_is_help=True)
    user.command("create")(create_user)
    user.command("list")(list_users)
    user.command("passwd")(passwd)
    user.command("role")(change_role)
    user.command("deactivate")(deactivate)
    app.add_typer(user, name="user")
    key = typer.Typer(help="API keys: credentials for programs.", no_args_is_help=True)
    key.command("create")(create_key)
    key.command("list")(list_keys)
    key.command("revoke")(revoke_key)
    app.add_typer(key, name="key")


@contextmanager
def in_tenant(name: str) -> Iterator[None]:
    with installation():
        from foretell.core.tenancy import use_tenant
        from foretell.tenants.services import get_tenant

        with use_tenant(get_tenant(name)):
            yield


def create_user(
    name: UserName,
    tenant: TenantName,
    email: Annotated[str, typer.Option(help="The e-mail address.")],
    role: Annotated[str, typer.Option(help="viewer, editor, admin or owner.")] = "viewer",
    password: Annotated[
        str | None, typer.Option(help="Without it, one is made and shown.", envvar="FORETELL_PASSWORD")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make somebody of a tenant."""
    with in_tenant(tenant):
        from foretell.accounts import services

        password = password or services.new_password()
        user = services.create_user(username=name, email=email, password=password, role=role)
        result = {"username": user.username, "email": user.email, "role": user.role, "password": password}
    _show_once(result, as_json, f"made {name}. The password is shown this once:")


def list_users(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the people of a tenant."""
    with in_tenant(tenant):
        from foretell.accounts.models import User

        rows = [
            {"username": user.username, "email": user.email, "role": user.role, "is_active": user.is_active}
            for user in User.objects.all()
        ]
    print_rows(rows, as_json=as_json, columns=["username", "email", "role", "is_active"])


def passwd(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Give somebody another password, which is asked for."""
    password = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    with in_tenant(tenant):
        from foretell.accounts import services

        services.change_password(user=services.get_user(name), password=password)
    said(f"[green]changed[/] the password of {name}.", {"username": name} if as_json else None)


def change_role(
    name: UserName,
    role: Annotated[str, typer.Argument(help="viewer, editor, admin or owner.")],
    tenant: TenantName,
    as_json: AsJSON = False,
) -> None:
    """Give somebody another role."""
    with in_tenant(tenant):
        from foretell.accounts import services

        services.change_role(user=services.get_user(name), role=role)
    said(f"[green]changed[/] {name} to {role}.", {"username": name, "role": role} if as_json else None)


def deactivate(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """End somebody's access by password, session and key; nothing of theirs is deleted."""
    with in_tenant(tenant):
        from foretell.accounts import services

        services.deactivate_user(user=services.get_user(name))
    said(f"[green]deactivated[/] {name}.", {"username": name, "is_active": False} if as_json else None)


def create_key(
    tenant: TenantName,
    user: Annotated[str, typer.Option(help="Whose key it is.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "key",
    scope: Annotated[
        list[str] | None, typer.Option(help="predict, models:read, models:write, jobs or admin; may be repeated.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Limit the key to this model; may be repeated.")] = None,
    days: Annotated[int | None, typer.Option(help="Days until it expires.", min=1, max=MAX_DAYS)] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a key; it is shown this once."""
    with in_tenant(tenant):
        from datetime import timedelta

        from django.utils import timezone

        from foretell.accounts import services

        expires_at = timezone.now() + timedelta(days=days) if days else None
        scopes = scope or ["predict", "models:read"]
        key, secret = services.create_key(
            user=services.get_user(user), name=name, scopes=scopes, models=model, expires_at=expires_at
        )
        result = {
            "id": key.key_id,
            "api_key": secret,
            "user": user,
            "name": name,
            "scopes": scopes,
            "models": model,
            "expires_at": expires_at,
        }
    _show_once(result, as_json, "made a key. It is shown this once:")


def list_keys(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the keys of a tenant, without their secrets."""
    with in_tenant(tenant):
        from foretell.accounts.models import APIKey

        rows = [_key_row(key) for key in APIKey.objects.select_related("user")]
    print_rows(
        rows,
        as_json=as_json,
        columns=["id", "user", "name", "scopes", "models", "last_used_at", "expires_at", "revoked_at"],
    )


def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's id, as `key list` shows it.")],
    tenant: TenantName,
    as_json: AsJSON = False,
) -> None:
    """End a key, for good."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts import services

        services.revoke_key(key=services.get_key(key), now=timezone.now())
    said(f"[green]revoked[/] {key}.", {"id": key, "state": "revoked"} if as_json else None)


def _key_row(key: Any) -> dict[str, Any]:
    return {
        "id": key.key_id, "user": key.user.username, "name": key.name, "scopes": key.scopes, "models": key.model_names,
        "last_used_at": key.last_used_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at,
    }  # fmt: skip


def _show_once(result: dict[str, Any], as_json: bool, message: str) -> None:
    if as_json:
        print_json(result)
        return
    say(f"[green]{message.split(' ', 1)[0]}[/] {message.split(' ', 1)[1]}")
    print_rows([{"what": what, "value": value} for what, value in result.items()], as_json=False)
