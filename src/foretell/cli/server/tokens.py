"""foretell token …: the keys that a tenant's tokens are signed with, and the end of somebody's tokens."""

from typing import Annotated

import typer

from foretell.cli.output import print_json, print_rows, said, say
from foretell.cli.server.accounts import UserName
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant


def register(app: typer.Typer) -> None:
    token = typer.Typer(help="JSON Web Tokens of a tenant.", no_args_is_help=True)
    token.command("keys")(list_keys)
    token.command("rotate")(rotate_keys)
    token.command("revoke")(revoke_tokens)
    app.add_typer(token, name="token")


def list_keys(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the published keys of a tenant, and say what its tokens are verified with."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts.tokens.issuing import audience, issuer
        from foretell.accounts.tokens.signing_keys import published_keys

        for_others = {"issuer": issuer(), "audience": audience()}
        keys = [
            {"kid": key.kid, "signs_from": key.signs_from, "verifies_until": key.verifies_until}
            for key in published_keys(now=timezone.now())
        ]
    if as_json:
        print_json({**for_others, "keys": keys})
        return
    say(f"issuer {for_others['issuer']}, audience {for_others['audience']}, keys at /.well-known/jwks.json")
    print_rows(keys, as_json=False, columns=["kid", "signs_from", "verifies_until"])


def rotate_keys(
    tenant: TenantName,
    now: Annotated[
        bool, typer.Option("--now", help="At once, and forget all others: somebody else may have the key.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Let another key sign a tenant's tokens: in a day, when everybody who verifies them has seen it."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts.tokens import signing_keys

        key = (signing_keys.replace_all if now else signing_keys.rotate)(now=timezone.now())
        result = {"kid": key.kid, "signs_from": key.signs_from}
    said(
        f"[green]made[/] the key {key.kid}. It signs from {key.signs_from:%Y-%m-%d %H:%M} UTC.",
        result if as_json else None,
    )


def revoke_tokens(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """End all tokens of somebody, everywhere within a second; whoever has the password can sign in again."""
    with in_tenant(tenant):
        from foretell.accounts.services import get_user
        from foretell.accounts.tokens.services import end_all

        end_all(user=get_user(name))
    said(f"[green]ended[/] the tokens of {name}.", {"username": name} if as_json else None)
