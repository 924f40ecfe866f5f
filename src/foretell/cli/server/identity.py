"""foretell identity …: the OpenID Connect providers that people of a tenant sign in by."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_rows, said
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant

Slug = Annotated[str, typer.Argument(metavar="PROVIDER", help="What it is called in addresses, such as google.")]


def register(app: typer.Typer) -> None:
    identity = typer.Typer(help="Identity providers (OpenID Connect) of a tenant.", no_args_is_help=True)
    for name, command in (("set", set_up), ("list", list_providers), ("remove", remove)):
        identity.command(name)(command)
    app.add_typer(identity, name="identity")


def set_up(
    slug: Slug,
    tenant: TenantName,
    issuer: Annotated[
        str, typer.Option(help="As the provider has it in its tokens: https://accounts.google.com, say.")
    ],
    client_id: Annotated[str, typer.Option(help="What the provider calls this tenant.")],
    name: Annotated[str, typer.Option(help="What people read on the button.")] = "",
    domain: Annotated[
        list[str] | None, typer.Option(help="Whose e-mail addresses it may speak for; may be repeated. Without: any.")
    ] = None,
    joins_as: Annotated[
        str, typer.Option(help="viewer or editor: the role of who comes by it and is not a member yet.")
    ] = "",
    secret: Annotated[
        str | None, typer.Option(help="Without it, it is asked for.", envvar="FORETELL_OIDC_SECRET")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Set a provider up, or change it. Its secret is asked for, and never shown."""
    secret = secret or typer.prompt("The client's secret", hide_input=True, err=True)
    with in_tenant(tenant):
        from foretell.accounts.identity_providers.services import described, set_provider

        provider = set_provider(
            slug=slug, name=name or slug, issuer=issuer, client_id=client_id, secret=secret, email_domains=domain or (),
            joins_as=joins_as,
        )  # fmt: skip
        result: dict[str, Any] = {"slug": slug, **described(provider)}
    said(f"[green]set up[/]: people of {tenant} sign in by {result['name']}.", result if as_json else None)


def list_providers(tenant: TenantName, as_json: AsJSON = False) -> None:
    """List the providers of a tenant."""
    with in_tenant(tenant):
        from foretell.accounts.identity_providers.models import IdentityProvider
        from foretell.accounts.identity_providers.services import described

        rows = [{"slug": provider.slug, **described(provider)} for provider in IdentityProvider.objects.all()]
    print_rows(rows, as_json=as_json, columns=["slug", "name", "issuer", "email_domains", "joins_as"])


def remove(slug: Slug, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Let nobody in by a provider any more; who came by it keeps their account."""
    with in_tenant(tenant):
        from foretell.accounts.identity_providers.services import remove_provider

        remove_provider(slug=slug)
    said(f"[green]removed[/] {slug}.", {"slug": slug, "state": "removed"} if as_json else None)
