"""foretell user invite | invitations | uninvite: who is asked to come."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_rows, said
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant
from foretell.cli.server.tenants import tenant_url

Email = Annotated[str, typer.Argument(help="The e-mail address.")]


def add_commands(user: typer.Typer) -> None:
    for name, command in (("invite", invite), ("invitations", list_invitations), ("uninvite", uninvite)):
        user.command(name)(command)


def invite(
    email: Email,
    tenant: TenantName,
    role: Annotated[str, typer.Option(help="viewer, editor, admin or owner.")] = "viewer",
    as_json: AsJSON = False,
) -> None:
    """Ask somebody to come, by mail; the link is printed as well."""
    with in_tenant(tenant):
        from django.db import transaction
        from django.utils import timezone

        from foretell.accounts import invitations
        from foretell.accounts.invitation_mail import link_of, post_invitation

        base = f"{tenant_url(tenant)}/"
        with transaction.atomic():
            made = invitations.invite(email=email, role=role, now=timezone.now())
            post_invitation(made, base=base)
        result = {
            "email": made.email,
            "role": made.role,
            "expires_at": made.expires_at,
            "link": link_of(made, base=base),
        }
    said(f"[green]invited[/] {email} as {role}. The mail has this link:", result if as_json else None)
    if not as_json:
        print_rows([{"link": result["link"]}], as_json=False)


def list_invitations(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List who was asked to come, and what became of it."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts.flows.joining import sign_up_mode
        from foretell.accounts.models import Invitation
        from foretell.accounts.serializers import shown_state

        found = Invitation.objects.select_related("invited_by", "accepted_by")
        now, mode = timezone.now(), sign_up_mode()
        rows = [_row(invitation, shown_state(invitation, now, mode=mode)) for invitation in found]
    print_rows(rows, as_json=as_json)


def uninvite(email: Email, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Let nobody come by an invitation to this address any more."""
    with in_tenant(tenant):
        from django.utils import timezone

        from foretell.accounts import invitations

        invitations.revoke_invitation(invitation=invitations.open_invitation(email), now=timezone.now())
    said(f"[green]revoked[/] the invitation of {email}.", {"email": email, "state": "revoked"} if as_json else None)


def _row(invitation: Any, state: str) -> dict[str, Any]:
    return {
        "email": invitation.email, "role": invitation.role, "state": state,
        "invited_by": invitation.invited_by.username if invitation.invited_by else None, "expires_at": invitation.expires_at,
    }  # fmt: skip
