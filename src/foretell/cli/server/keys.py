"""foretell key …: credentials for programs."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_rows, said
from foretell.cli.server.accounts import show_once
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant

MAX_DAYS = 36_500  # a century; a date far beyond is none
MAX_GRACE_HOURS = 720
KeyID = Annotated[str, typer.Argument(help="The key's id, as `key list` shows it.")]


def register(app: typer.Typer) -> None:
    key = typer.Typer(help="API keys: credentials for programs.", no_args_is_help=True)
    for name, command in (("create", create_key), ("list", list_keys), ("roll", roll_key), ("revoke", revoke_key)):
        key.command(name)(command)
    app.add_typer(key, name="key")


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
    show_once(result, as_json, "made a key. It is shown this once:")


def list_keys(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the keys of a tenant, without their secrets."""
    with in_tenant(tenant):
        from foretell.accounts.models import APIKey

        rows = [_key_row(key) for key in APIKey.objects.select_related("user")]
    print_rows(rows, as_json=as_json)


def roll_key(
    key: KeyID,
    tenant: TenantName,
    grace: Annotated[
        int, typer.Option("--grace", help="Hours for which the old key stays valid.", min=0, max=MAX_GRACE_HOURS)
    ] = 24,
    as_json: AsJSON = False,
) -> None:
    """Put a new key in the place of one, which stays valid for a while; the new one is shown this once."""
    with in_tenant(tenant):
        from datetime import timedelta

        from django.utils import timezone

        from foretell.accounts import services

        old = services.get_key(key)
        new, secret = services.roll_key(key=old, now=timezone.now(), grace=timedelta(hours=grace))
        old.refresh_from_db()
        result = {
            "id": new.key_id, "api_key": secret, "user": old.user.username, "name": new.name, "scopes": new.scopes,
            "models": new.model_names, "expires_at": new.expires_at, "rolled_from": old.key_id, "old_valid_until": old.expires_at,
        }  # fmt: skip
    show_once(result, as_json, "made a key. It is shown this once:")


def revoke_key(
    key: KeyID,
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
        "rolled_to": key.rolled_to_id, "last_used_at": key.last_used_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at,
    }  # fmt: skip
