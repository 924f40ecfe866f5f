"""foretell plan set | list | delete: named sets of limits and quotas, which tenants share."""

from typing import Annotated

import typer

from foretell.cli.output import print_json, print_rows, said
from foretell.cli.server.installation import installation

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="The plan's name, such as team-50.")]


def register(app: typer.Typer) -> None:
    plan = typer.Typer(help="Plans: limits and quotas that tenants share.", no_args_is_help=True)
    for name, command in (("set", set_limits), ("list", show_all), ("delete", delete)):
        plan.command(name)(command)
    app.add_typer(plan, name="plan")


def set_limits(
    name: Name,
    tenant: Annotated[
        str | None, typer.Option(help="How much all of a tenant may ask, such as 100/s; off; default.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="How much each person may ask.")] = None,
    key: Annotated[str | None, typer.Option(help="How much each API key may ask.")] = None,
    requests_per_month: Annotated[
        str | None, typer.Option(help="Predictions in a month (UTC); default: no end.")
    ] = None,
    rows_per_month: Annotated[str | None, typer.Option(help="Rows in a month; default: no end.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a plan, or change those of its limits that are given; its tenants follow within a second."""
    given = {
        "tenant": tenant, "user": user, "key": key, "requests_per_month": requests_per_month, "rows_per_month": rows_per_month,
    }  # fmt: skip
    with installation():
        from foretell.tenants.limits import limits_in_words, read_limits
        from foretell.tenants.plans import set_plan

        plan = set_plan(
            name=name, changes=read_limits({what: text for what, text in given.items() if text is not None})
        )
        rows = limits_in_words({}, plan.limits)
    if as_json:
        print_json({"name": name, "limits": plan.limits})
        return
    print_rows(rows, as_json=False, columns=["limit", "value", "set_by"])


def show_all(as_json: AsJSON = False) -> None:
    """List the plans, and how many tenants have each."""
    with installation():
        from foretell.tenants.plans import list_plans

        rows = [
            {"name": plan.name, "tenants": getattr(plan, "n_tenants", 0), "limits": plan.limits}
            for plan in list_plans()
        ]
    print_rows(rows, as_json=as_json, columns=["name", "tenants", "limits"])


def delete(name: Name, as_json: AsJSON = False) -> None:
    """Delete a plan that no tenant has."""
    with installation():
        from foretell.tenants.plans import delete_plan, get_plan

        delete_plan(plan=get_plan(name))
    said(f"[green]deleted[/] the plan {name}.", {"name": name, "state": "deleted"} if as_json else None)
