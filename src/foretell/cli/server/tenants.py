"""foretell tenant create | list | limits | log | suspend | resume | delete."""

from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, said, say
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
        ("suspend", suspend),
        ("resume", resume),
        ("delete", delete),
    ):
        tenant.command(name)(command)
    app.add_typer(tenant, name="tenant")


def create(
    name: Name,
    domain: Annotated[
        list[str] | None, typer.Option(help="A further host name that leads here; may be repeated.")
    ] = None,
    owner: Annotated[str, typer.Option(help="The owner's user name.")] = "owner",
    email: Annotated[str, typer.Option(help="The owner's e-mail address.")] = "",
    password: Annotated[
        str | None,
        typer.Option(help="The owner's password; without it, one is made.", envvar="FORETELL_OWNER_PASSWORD"),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a tenant: its schema, its owner and the owner's first key, which is shown this once."""
    with installation():
        from foretell.accounts.services import create_tenant_with_owner

        new = create_tenant_with_owner(
            name=name, domains=domain or [], username=owner, email=email or f"{owner}@{name}.example", password=password
        )
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
    print_rows(rows, as_json=as_json, columns=["name", "state", "domains", "schema", "created_at"])


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
        rows = limits_in_words(found.limits)
    if as_json:
        print_json({"name": name, "limits": found.limits, "in_force": {row["limit"]: row["value"] for row in rows}})
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


def suspend(name: Name, as_json: AsJSON = False) -> None:
    """Answer 403 to all of a tenant's requests; nothing of it is lost."""
    with installation():
        from django.utils import timezone

        from foretell.tenants.services import get_tenant, suspend_tenant

        suspend_tenant(tenant=get_tenant(name), now=timezone.now())
    said(
        f"[green]suspended[/] {name}. `foretell tenant resume {name}` brings it back.",
        _state(name, "suspended", as_json),
    )


def resume(name: Name, as_json: AsJSON = False) -> None:
    """Serve a suspended tenant again."""
    with installation():
        from foretell.tenants.services import get_tenant, resume_tenant

        resume_tenant(tenant=get_tenant(name))
    said(f"[green]resumed[/] {name}.", _state(name, "active", as_json))


def delete(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJSON = False
) -> None:
    """Delete a tenant with everything it owns, for good."""
    with installation():
        from foretell.tenants.services import delete_tenant, get_tenant

        tenant = get_tenant(name)
        if (
            not yes
            and typer.prompt(
                f"All people, keys, models and files of {name} will be gone. Type its name to go on", err=True
            )
            != name
        ):
            say("That is not its name; nothing was deleted.")
            raise typer.Exit(1)
        delete_tenant(tenant=tenant)
    said(f"[green]deleted[/] {name}.", _state(name, "deleted", as_json))


def tenant_url(name: str) -> str:
    """Return where the tenant is without any set-up of names: below the address at which this installation serves."""
    from django.conf import settings

    from foretell.cli.server.up import shown_host
    from foretell.embedded.home import running_url

    root = running_url(settings.FORETELL_HOME) or f"http://{shown_host(settings.HOST)}:{settings.PORT}"
    return f"{root}/t/{name}"


def _state(name: str, state: str, as_json: bool) -> dict[str, Any] | None:
    return {"name": name, "state": state} if as_json else None


def _row(tenant: Any) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "state": "suspended" if tenant.is_suspended else "active",
        "domains": [domain.domain for domain in tenant.domains.all()],
        "schema": tenant.schema_name,
        "created_at": tenant.created_at.isoformat(timespec="seconds"),
    }
