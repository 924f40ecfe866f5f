"""foretell access …: who may do what with one model, beside their roles."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, said, say
from foretell.cli.server.tenant_at_hand import AsJSON, TenantName, in_tenant

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
UserName = Annotated[str, typer.Argument(metavar="USER", help="The user's name or e-mail address.")]


def register(app: typer.Typer) -> None:
    access = typer.Typer(help="Who may do what with one model, beside their roles.", no_args_is_help=True)
    for name, command in (("show", show), ("set", change), ("grant", grant), ("take", take)):
        access.command(name)(command)
    app.add_typer(access, name="access")


def show(model: ModelName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Show what a model asks beyond roles, and what was granted on it."""
    with in_tenant(tenant):
        from foretell.accounts import grants
        from foretell.accounts.models import ModelGrant

        name = _known(model)
        policy = grants.described_policy(grants.policy_of(name))
        found = ModelGrant.objects.filter(model_name=name).select_related("user").order_by("user__username_key")
        rows = [{"user": row.user.username, "actions": row.actions} for row in found]
    if as_json:
        print_json({"model": name, **policy, "grants": rows})
        return
    say(
        f"{name}: {'restricted' if policy['restricted'] else 'open'}, {'four eyes' if policy['four_eyes'] else 'two eyes'}."
    )
    print_rows(rows, as_json=False, columns=["user", "actions"])


def change(
    model: ModelName,
    tenant: TenantName,
    restricted: Annotated[
        bool | None, typer.Option("--restricted/--open", help="Only who was granted something sees it; admins always.")
    ] = None,
    four_eyes: Annotated[
        bool | None, typer.Option("--four-eyes/--two-eyes", help="A second person approves each promotion.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Say what a model asks beyond roles."""
    with in_tenant(tenant):
        from foretell.accounts import grants

        policy = grants.change_policy(model=_known(model), restricted=restricted, four_eyes=four_eyes)
        result = {"model": model, **grants.described_policy(policy)}
    said(f"[green]changed[/] what {model} asks.", result if as_json else None)


def grant(
    model: ModelName,
    user: UserName,
    tenant: TenantName,
    may: Annotated[list[str], typer.Option("--may", help="predict, push or promote; may be repeated.")],
    as_json: AsJSON = False,
) -> None:
    """Let somebody do this with a model, beside their role; it replaces what they were granted on it before."""
    with in_tenant(tenant):
        from foretell.accounts import grants, services

        made = grants.grant(user=services.get_user(user), model=_known(model), actions=may)
        result: dict[str, Any] = {"model": model, "user": made.user.username, "actions": made.actions}
    said(f"[green]granted[/] {user} on {model}: {', '.join(result['actions'])}.", result if as_json else None)


def take(model: ModelName, user: UserName, tenant: TenantName, as_json: AsJSON = False) -> None:
    """Leave somebody with their role on a model."""
    with in_tenant(tenant):
        from foretell.accounts import grants, services

        had = grants.take_grant(user=services.get_user(user), model=_known(model))
    message = f"[green]took[/] from {user} what was granted on {model}." if had else f"{user} had no grant on {model}."
    said(message, {"model": model, "user": user, "actions": []} if as_json else None)


def _known(model: str) -> str:
    from foretell.refusals import ModelNotFound
    from foretell.registry.models import RegisteredModel

    if not RegisteredModel.objects.filter(name=model).exists():
        raise ModelNotFound
    return model
