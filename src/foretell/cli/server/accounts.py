"""foretell user create | list | passwd | role | deactivate | …: the members of a tenant; `invitations` has those who are asked to come."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, said, say
from foretell.cli.server import account_flows, invitations
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant

UserName = Annotated[str, typer.Argument(help="The user's name or e-mail address.")]


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="The people and service accounts of a tenant.", no_args_is_help=True)
    for name, command in (
        ("create", create_user),
        ("list", list_users),
        ("passwd", passwd),
        ("role", change_role),
        ("responsible", change_responsible),
        ("deactivate", deactivate),
        ("reactivate", reactivate),
        ("remove", remove),
        ("reset-mfa", reset_mfa),
    ):
        user.command(name)(command)
    invitations.add_commands(user)
    account_flows.add_user_commands(user)
    app.add_typer(user, name="user")


def create_user(
    name: UserName,
    tenant: TenantName,
    email: Annotated[str, typer.Option(help="The e-mail address of a person.")] = "",
    role: Annotated[str, typer.Option(help="viewer, editor, admin or owner.")] = "viewer",
    password: Annotated[
        str | None, typer.Option(help="Without it, one is made and shown.", envvar="FORETELL_PASSWORD")
    ] = None,
    service: Annotated[bool, typer.Option("--service", help="No person: it has keys, and cannot sign in.")] = False,
    responsible: Annotated[
        str | None, typer.Option(help="The admin or owner who answers for a service account.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make somebody of a tenant: a person, or a service account."""
    if service != (responsible is not None):
        raise typer.BadParameter("A service account needs somebody who answers for it: --service --responsible NAME.")
    with in_tenant(tenant):
        from foretell.accounts import services

        if responsible is not None:
            user = services.create_service_account(username=name, role=role, responsible=services.get_user(responsible))
            result: dict[str, Any] = {"username": user.username, "role": user.role, "responsible": responsible}
        else:
            password = password or services.new_password()
            user = services.create_user(username=name, email=email, password=password, role=role)
            result = {"username": user.username, "email": user.email, "role": user.role, "password": password}
    if service:
        said(
            f"[green]made[/] the service account {name}. `foretell key create` gives it a key.",
            result if as_json else None,
        )
    else:
        show_once(result, as_json, f"made {name}. The password is shown this once:")


def list_users(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the people of a tenant."""
    with in_tenant(tenant):
        from foretell.accounts.models import User

        rows = [_user_row(user) for user in User.objects.members().select_related("responsible")]
    print_rows(rows, as_json=as_json)


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


def reactivate(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Let somebody in again who was deactivated."""
    with in_tenant(tenant):
        from foretell.accounts import services

        services.reactivate_user(user=services.get_user(name))
    said(f"[green]reactivated[/] {name}.", {"username": name, "is_active": True} if as_json else None)


def remove(
    name: UserName,
    tenant: TenantName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Take somebody out of a tenant, for good: their keys end, their name and address go, what they made stays."""
    if not yes:
        typer.confirm(f"Remove {name} from {tenant} for good?", abort=True, err=True)
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts import services

        services.remove_user(user=services.get_user(name), now=timezone.now())
    said(f"[green]removed[/] {name}.", {"username": name, "state": "removed"} if as_json else None)


def reset_mfa(name: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Take the second factors of somebody away who has lost them: the password alone lets them in, and their sessions and tokens end."""
    with in_tenant(tenant):
        from foretell.accounts import services
        from foretell.accounts.second_factor.services import reset_second_factor

        reset_second_factor(user=services.get_user(name))
    said(f"[green]taken away[/]: {name} signs in by password alone.", {"username": name} if as_json else None)


def change_responsible(
    name: UserName,
    responsible: Annotated[str, typer.Argument(help="The admin or owner who answers for it from now on.")],
    tenant: TenantName,
    as_json: AsJSON = False,
) -> None:
    """Let another admin answer for a service account."""
    with in_tenant(tenant):
        from foretell.accounts import members, services

        members.change_responsible(user=services.get_user(name), responsible=services.get_user(responsible))
    result = {"username": name, "responsible": responsible}
    said(f"[green]changed[/]: {responsible} answers for {name}.", result if as_json else None)


def _user_row(user: Any) -> dict[str, Any]:
    return {
        "username": user.username, "email": user.email or None, "role": user.role, "kind": "person" if user.is_person else "service",
        "is_active": user.is_active, "responsible": user.responsible.username if user.responsible else None,
    }  # fmt: skip


def show_once(result: dict[str, Any], as_json: bool, message: str) -> None:
    """Print what nobody can show again."""
    if as_json:
        print_json(result)
        return
    say(f"[green]{message.split(' ', 1)[0]}[/] {message.split(' ', 1)[1]}")
    print_rows([{"what": what, "value": value} for what, value in result.items()], as_json=False)
