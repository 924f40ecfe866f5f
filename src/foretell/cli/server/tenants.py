"""foretell tenant create | list | limits | log | plan; `tenant_states`, `tenant_archives` and `tenant_usage` have its other commands."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, say
from foretell.cli.server import account_flows, tenant_archives, tenant_states, tenant_usage
from foretell.cli.server.installation import installation

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="The tenant's name, such as acme.")]


def register(app: typer.Typer) -> None:
    tenant = typer.Typer(help="The tenants of this installation.", no_args_is_help=True)
    for name, command in (
        ("create", create),
        ("list", show_all),
        ("limits", limits),
        ("log", log),
        ("plan", plan),
    ):
        tenant.command(name)(command)
    for module in (tenant_states, tenant_usage, tenant_archives):
        module.add_commands(tenant)
    account_flows.add_tenant_commands(tenant)
    app.add_typer(tenant, name="tenant")


def create(
    name: Name,
    domain: Annotated[
        list[str] | None, typer.Option(help="A further host name that leads here; may be repeated.")
    ] = None,
    owner: Annotated[str, typer.Option(help="The owner's user name.")] = "owner",
    email: Annotated[str, typer.Option(help="The owner's e-mail address.")] = "",
    plan: Annotated[
        str | None, typer.Option(help="The plan it has; `foretell plan list` shows those there are.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(help="The owner's password; without it, one is made.", envvar="FORETELL_OWNER_PASSWORD"),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a tenant: its schema, its owner and the owner's first key, which is shown this once."""
    with installation():
        from foretell.accounts.services import create_tenant_with_owner
        from foretell.tenants.plans import assign_plan, get_plan

        wanted = get_plan(plan) if plan else None
        new = create_tenant_with_owner(
            name=name, domains=domain or [], username=owner, email=email or f"{owner}@{name}.example", password=password
        )
        if wanted is not None:
            assign_plan(tenant=new.tenant, plan=wanted)
        result = {
            "url": tenant_url(name),
            "tenant": name,
            "username": owner,
            "password": new.password,
            "api_key": new.api_key,
        }
    if as_json:
        print_json(result)
        return
    say(f"[green]made[/] the tenant {name}. The password and the key are shown this once:")
    print_rows([{"what": what, "value": value} for what, value in result.items()], as_json=False)


def show_all(as_json: AsJSON = False) -> None:
    """List the tenants with their domains."""
    with installation():
        from foretell.tenants.services import list_tenants

        rows = [_row(tenant) for tenant in list_tenants()]
    print_rows(rows, as_json=as_json, columns=["name", "state", "plan", "domains", "schema", "created_at"])


def limits(
    name: Name,
    tenant: Annotated[str | None, typer.Option(help="How much all of it may ask, such as 100/s; off; default.")] = None,
    user: Annotated[str | None, typer.Option(help="How much each person may ask.")] = None,
    key: Annotated[str | None, typer.Option(help="How much each API key may ask.")] = None,
    requests_per_month: Annotated[
        str | None, typer.Option(help="Predictions in a month (UTC); default: no end.")
    ] = None,
    rows_per_month: Annotated[str | None, typer.Option(help="Rows in a month; default: no end.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Show a tenant's limits, and change those that are given; `default` takes back what was given before."""
    given = {
        "tenant": tenant, "user": user, "key": key, "requests_per_month": requests_per_month, "rows_per_month": rows_per_month,
    }  # fmt: skip
    with installation():
        from foretell.tenants.limits import limits_in_words, read_limits, set_limits
        from foretell.tenants.services import get_tenant

        found = get_tenant(name)
        changes = read_limits({what: text for what, text in given.items() if text is not None})
        if changes:
            set_limits(tenant=found, changes=changes)
        rows = limits_in_words(found.own_limits, found.plan.limits if found.plan else None)
    if as_json:
        print_json(
            {
                "name": name,
                "plan": found.plan_id,
                "limits": found.own_limits,
                "in_force": {row["limit"]: row["value"] for row in rows},
            }
        )
        return
    print_rows(rows, as_json=False, columns=["limit", "value", "set_by"])


def log(
    name: Name,
    policy: Annotated[
        str | None,
        typer.Option(help="required: refuse what cannot be logged; best_effort: answer it, and count the gap."),
    ] = None,
    retention_days: Annotated[int | None, typer.Option(help="Delete predictions that are older.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Show how a tenant's predictions are logged, and change what is given."""
    with installation():
        from foretell.tenants.services import get_tenant, set_log

        tenant = get_tenant(name)
        if policy is not None or retention_days is not None:
            set_log(tenant=tenant, policy=policy, retention_days=retention_days)
        result = {"name": name, "policy": tenant.log_policy, "retention_days": tenant.log_retention_days}
    print_rows([result], as_json=False) if not as_json else print_json(result)


def plan(
    name: Name,
    plan: Annotated[str | None, typer.Argument(help="The plan; `none` takes it away.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Show which plan a tenant has, or give it another one; its own limits stay, and come before the plan's."""
    with installation():
        from foretell.tenants.plans import assign_plan, get_plan
        from foretell.tenants.services import get_tenant

        tenant = get_tenant(name)
        if plan is not None:
            assign_plan(tenant=tenant, plan=None if plan == "none" else get_plan(plan))
        result = {"name": name, "plan": tenant.plan_id}
    print_rows([result], as_json=False) if not as_json else print_json(result)


def tenant_url(name: str) -> str:
    """Return where the tenant is without any set-up of names: below the address at which this installation serves."""
    from django.conf import settings

    from foretell.cli.server.up import shown_host
    from foretell.embedded.home import running_url

    root = running_url(settings.FORETELL_HOME) or f"http://{shown_host(settings.HOST)}:{settings.PORT}"
    return f"{root}/t/{name}"


def _row(tenant: Any) -> dict[str, Any]:
    from foretell.tenants.services import state_of

    return {
        "name": tenant.name,
        "state": state_of(tenant),
        "plan": tenant.plan_id,
        "domains": [domain.domain for domain in tenant.domains.all()],
        "schema": tenant.schema_name,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
        "reason": tenant.suspended_reason or None,
        "until": tenant.suspended_until,
        "delete_after": tenant.delete_after,
    }
