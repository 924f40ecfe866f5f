"""foretell tenant sign-up | user sign-out | user verify: how people come, where they are signed in, and their addresses."""

from typing import Annotated

import typer

from foretell.cli.output import print_json, print_rows, said
from foretell.cli.server.installation import installation
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant

UserName = Annotated[str, typer.Argument(help="The user's name or e-mail address.")]


def add_tenant_commands(tenant: typer.Typer) -> None:
    tenant.command("sign-up")(sign_up)


def add_user_commands(user: typer.Typer) -> None:
    user.command("sign-out")(sign_out)
    user.command("verify")(verify)


def sign_up(
    name: Annotated[str, typer.Argument(help="The tenant's name, such as acme.")],
    mode: Annotated[
        str | None, typer.Argument(help="open: anybody signs up; invitation: who is invited; closed: nobody.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Show how people come to a tenant, and change it."""
    with installation():
        from foretell.accounts.flows.joining import read_mode, set_sign_up, sign_up_mode
        from foretell.core.tenancy import use_tenant
        from foretell.tenants.services import get_tenant

        with use_tenant(get_tenant(name)):
            found = sign_up_mode() if mode is None else set_sign_up(mode=read_mode(mode))
    result = {"name": name, "sign_up": str(found)}
    print_rows([result], as_json=False) if not as_json else print_json(result)


def sign_out(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Sign somebody out everywhere: browsers, and programs that have tokens; keys stay, and the password is as it was."""
    with in_tenant(tenant):
        from foretell.accounts.flows.sessions import end_all
        from foretell.accounts.services import get_user

        end_all(user=get_user(name))
    said(f"[green]signed out[/] {name}, everywhere.", {"username": name} if as_json else None)


def verify(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Vouch for somebody's e-mail address, where a mail with a code does not reach them."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts.flows.verifying import vouch_for
        from foretell.accounts.services import get_user

        user = vouch_for(user=get_user(name), now=timezone.now())
        result = {"username": user.username, "email": user.email}
    said(f"[green]verified[/] {result['email']}.", result if as_json else None)
